"""The fitted networks of `analysis.onset_evidence`: by benchmarks/accuracy/fit_onsets.py, not by hand.

Fitted on FluidR3 (MIT), Karoryfer guitars and basses (CC0), rhythms of Groove MIDI (CC BY), textures of POP909 (MIT)
and our own synthesis.
"""

from __future__ import annotations

import base64

import numpy as np

# The figures, in the order of the networks' inputs.
FIGURES = (
    "burst",
    "burst_over",
    "burst_before",
    "burst_just_before",
    "burst_after",
    "flux",
    "flux_over",
    "flux_over_mean",
    "flux_before",
    "flux_after",
    "lasting",
    "risen",
    "noise",
    "share_2_db",
    "share_5_db",
    "burst_top",
    "low",
    "middle",
    "high",
    "low_top",
    "high_top",
    "level",
    "level_near",
    "slope",
    "slope_bright",
    "decay",
    "decay_bright",
    "swell",
    "bright",
    "came_0",
    "came_1",
    "came_2",
    "came_3",
    "came_4",
    "stays_0",
    "stays_1",
    "stays_2",
    "stays_3",
    "stays_4",
)
# Each network's middles and spreads of the figures, then weight and bias of two layers: shape, little-endian float16.
_ARRAYS: dict[str, tuple[tuple[tuple[int, ...], str], ...]] = {
    "begins": (
        (
            (39,),
            "oi;HzQ8qRw=QQ`iF{^5~Ei}0?OT_ggr9EUamn~sOt~&`jIXQ?z=038^YRA7sUqVi}Ot=BATgvv%!OpkN6wkNM@y?^pYtEX^C(i",
        ),
        (
            (39,),
            "F*!jw06bnglskVsEj$1`r#&t`>O6)msX-?+H8UDTtwPU34nyihyF^t>CrCX-=0s;idPGw~p-BczI!r}O5=>)DPfUzVuuPduNlX",
        ),
        (
            (39, 20),
            "<)b;M?lFBc5FGR?c(E%b;iVF;>l&#lY%o8t4KWHN6&$^>3ag1CU>Lk1y)Y{<>@RpMY_ifHeH;j`NU?S->M$**mM0Od)F`wu>Mt2D"
            "QmkYx$*}n_)~xidj4)86udf;~fUyc1+pf>BYo?vBwJc&Uzb-B^gt8bYNvvh0JR=0Jd^6IgcCxxH9I~Y?*{nmX?6Z%k+b+^Bo-jHt"
            "<1n$Q(XbsU1*j{pvojE<W-_ob=(N}*7__M{`m;f^2CK0%I5l9ksw_?=Td6Uxog`@`CMUU}pej733AFi_{~|1?J+FPSofDI*G&EHu"
            "dNFk=DXD%hajd#8aImMKLoq+B9Jsxwd@U5Ptt6JVi3~n19XLlcv?<*!tgMA3XQXhcStTT*^CN65a<V)Y4y<dfrl{(%p(#)&XfxCz"
            ")v#eLt)>t$9;7v|cANzf$+Af><}h(9p{BpFzAm*UO)kqN%Cb8w$S7x~!6)Id60`CtKBdJX#xUw3kS#l|7%KQJl%{8)XrdIav8xBO"
            "nl1-0_pfTM$+O3(2dCT{C@ID*SFp;jfUo_tJuWA<%_$+TL^1EKOfB9MII(cBIILwb5+mrKv7`?nYpfZjt*!wuoUmuH>ykk+_bqp!"
            "kua4i<|x1?^(%)lK(dykE-w=^TC<WdD=0xLR4R6*`6|RMDKDceG%swf0x$tCS}q1Ge5zd_?JQTZ5VXH3Ju&<x5;Tb~bFEphBQU=+"
            "Tq=Vu^(0IwrJ>Ip$D<CMgDYt#$*qYY2qF=vah*jbgDoAM&!(xZQ>gzl3$T8z1+sdmAgoy&i?O6EqcDH0rk+Zs?y1?S{xc*O!?2(&"
            "m#q{sfv|HV5G@C^o+?(LT(c%C&n~klXR%TwG%B_#&M_P?v#;^979v0}p)I<rgB*q~KP)bwj~Hq$PcXYHm@8B&d8s@v>n_MFMX*n<"
            "TQ5<tgfSPhk~QoyDJx&3>oO{&e-gPdF|Cd<t+IYHB&t*|M6PPBo-7(LI<ajjK(XVj0<Vsky05ORaIA2y6{P|o;wuuWa4s(^eJbUp"
            "Trvf)crs-jL@{eMB(0U0_cYn7j<BXK9Wb&fFsihz7pnCsGcKnc6(uF8u_UZ5^QiwQ*R3ifl^+bO?I>fSLM)-HjxcwuuA@!0t0YP-"
            "&Z^R+7NAh0E-K|F&Z%r3Qmt1U8ZdSyx*S@m3@kkp;vn;}v8e2;CZ)Qj1}-r<B`zGM2rQ!=6{T#l5wO!6s3{k;aV$WsY@*UE9xf}e"
            "R~lfngfi7R&@}%l0W7nZqat6i7PK`m|0Dsff~y2D0kXC(<}cKyA|<t~xFo`*Xs}74->D5B7Aj~QE~-+k*rBDW93TOq>Z~N91S^=d"
            "tgERh{;KV;kgylDE|}hy8Yf6B*etHCd#z2Y&!>5-ca4CjHmwA?E+y(Qj3~sU3M+-6=r8S|YcuqpoG#2Qyrxi?sV9mk)-d`h*RBt="
            "+8?5{AT+<XMl{1LSS2DR0;>A89xz%ktT9tIQ7Gd#ov_Wf+9l^OA03XGAFHFNtt!i?w;*br!42Fo4<e(e*swmbS0g2_SE{P5D5{#V"
            "F`QvBGp>!RL#R8R0<8rJ_o@ahJtNqq{4Y+iq%AA5+Az7Uu%Mx<)vQo3x~xg5=BnYSo~f3M->>^HS}?Z{q#rr3bT4SAhA>gFB(NbL"
            "{;V`4K9Jw8y`}<_C@23MUabS9>n}tlcrCrDGcV>RwJHy=nXW`G${XLU?k>0^N->fqK_X!wW*LL6$SDCYvnEn5P%RTN7p#1-L8*Bp"
            "7%I9d->AB*`Kw~2avWnBuBK=zHKSUro2VJEp)V7!5hR(hOQSNZ*QhHln5sW1(6J}1(550BgsF)xQznb5ZK<HJS}(k>Z!V>tkfN=w"
            "AgKZ|W1%P`?ye)NFsT|J0;s(ypDc@}$RLBRt1zXm0x{gEpsV7kAE}Ekm#j;yd$1d@+a=QyAE|6CUn{((Bc=YOfi1kOAu#H%e5qcd"
            "FsP6#+^cb<+^c!7(kM2PwH1>md?gL6{H$v&ekxKg$tUNm`m8;#",
        ),
        (
            (20,),
            "rmsjmbi7+R+B@mEyE=`uSF-3l=Cu4e{JNewle(Tc^f?!=8ZxrD",
        ),
        (
            (20, 1),
            "ST=0BNI5k<WV+-ybh%F|dpKmeJG(@;GC8-o(mDIO1-YfWNIJPY",
        ),
        (
            (1,),
            "F}4",
        ),
    ),
    "what": (
        (
            (39,),
            "oi;HzQ8qRw=QQ`iF{^5~Ei}0?OT_ggr9EUamn~sOt~&`jIXQ?z=038^YRA7sUqVi}Ot=BATgvv%!OpkN6wkNM@y?^pYtEX^C(i",
        ),
        (
            (39,),
            "F*!jw06bnglskVsEj$1`r#&t`>O6)msX-?+H8UDTtwPU34nyihyF^t>CrCX-=0s;idPGw~p-BczI!r}O5=>)DPfUzVuuPduNlX",
        ),
        (
            (39, 20),
            "cCwzWn5AH}N3dZp52`t_>#oGIB`C79Nwz^a>9Dae%BjhnfwU5_ps5}=+Ose+w6IAwq_r2ZJF!Wxv4&@)f-F@u05DCsXs=?iIJC^C"
            "!7jEjDzFK%X0WR^O)k{5aI#3W60Ah4Afq2JEHkXFi?lnh7_=j@XDyaC6({hd>MWls9;NiGOfp$7Os+k&cC8{W7^gBK8ZMtO3n*J8"
            "Ju6D73@j+JYp=Detgo6hMX`UNJfr9<pe(*D-Zt_qwX5VLU$FW$1GHH-O{@~H{UcE}BDm-?e=ixU6R@1L_clm3$TH`t#I@P5gRsG{"
            "<g~~z9l0qh&M*Blys^A2WVAJ~n=lVIt}w{5Tr?fE&8|tffHB=Mm^65@WVTbRh^nHsnXSttA+O3TEVf-ROR$!;JGPWH7OX2VYcvQp"
            "im$k_l&qLDlPvzIo3)j*P$~B;DX}pzBQS=rA}P!>Y$k7=LaL=F%B%^t$*iBWS*>U>WUzLkFDunCA0=P30ynrcVmYWY&a?-yBr?M<"
            "PcrJUq^}e*ccNvn^sSJzw=(`Pv9n$@r=&os)vSa!DYOYU5;r5X3AJM^FC;HDn5cHOW2#Fr>N3|YATYf-2sHYvaWHKtBcza~_^7cf"
            "VyMeDw=8z5nJLh%{Iw#a+cAqQ`L)s>mn_k;4=FD!QlKHJ?Wy}N7dG{=12LDcmN8H+xiCtkM=3g>OtEvce-zj#V=W>x;;Mfzfvg{-"
            ")-u>P=`lL3HL>6&9WS3UJ|=W8?IAa?zbyl%*{Eo-DzN6Tr86Taa4mwgav&QdB&Vq{c&o;;11-g_0w{nk^{6DUKQxe>>@c^oB(!@b"
            "J{<Hg$1PU0pC>A^5-2b*ZY2ybJh9fW@~<Z>EH)Lh)G$ppqBG|*Eul#`v@lRKE4O4T*fB~j8LCRLp)nez7P2w1-7wTFIv+8OI5NR7"
            "tT2|gcrzifaxXP3pEJ}l95vju&@QdD5Gv3wE-Zzx?6GN}g0N?_Br)MGswr`;CAC1ecQ9TqP_g(ht+p+y-!ZSFYBg&yxGc~wA0+Io"
            "r7)PUO)Xh4jVzcivaG|i!MABP*|RV;C@)4Zx+y9%lr`otcQdjvl{Bog88v06k~CN@7Oq$^CM_H|p|`F#XR$4{`LTI8f;k$nX|)Np"
            "RJ0<n{x7{MmN6AC>!@2Sz%PU`dM=+geJ)`z6}Dq9el}UD7PTU-z%lGOWVIl*&@v>f@U2>~44mL8xHeX>%cxGSA37kdWiK(UxU>?s"
            "QnI@tax%%Vg(j>v@TK*$tSN4^Wi>7+^DvGii806}AeGcD@U20zbuKEd@v#Ul<S-kvZ!ki%jkZ}d_%eyLX11WQ&mf#O#4v2PFS5ci"
            "oh~jlJhCq*6thUVa=2xzJu~I8!z!z?2f6Jm>#x=|Z8Oj}EUO)_(K4_xUb1A6m@>pL**LzmtTRY2&Z;e_fUH!m1QxHde<3(8^EoK8"
            "O1i?SV>>duk2cjbST_o&k1m<L8ZR8P{j#+;nXlz6<T4gHb-A{#^f$(_?=<<Ye;QLWSF|E9CAAba2)QgUR5FP&*sn^qrnUpPqO_4Q"
            "rm#$~Zna#m0=0NDnzKYRE+*Kmpe)8Px-fe&o2)G@xVQPP`z(dC4Y~udtgy+Y!Y~{y!>`1sdoM1r7_oRQsV)++E-#6)Z#0jscQ7J1"
            "47RVO95L3f)TYg`1F_w)O*3Ayk+se<xih6N7curOo;cpKoiw8?F)n4ZtFq9k3$Md8Ju;UsDK#>*1~GB5vnCBSld9dV?6g0ye=;I6"
            "1ux39ku_+wo3HFGi6;Fu@wIa_v$r>?(K;10Qz?KdL!)E0U8|R_R<{Qz8?b(<m!!NYGO(So$gzE(Q!Q*Jdm%%z52Q9J*s%YRK{FsX"
            "WVIYDyeYyq+B8lqhBbMy@U8SMC8b)Vp(sbTz96S0QZxjx`L8-Q9yE}!A+LZhH!OattTFqwGcPbO^(fu3NiOCuIIC+hf2--UBDMlH"
            "sI<>6uCU&$*QhACnlhL)F*o2eqb(>fAuMPpm#Z}}L@TT<<T1sx",
        ),
        (
            (20,),
            "v!~WE{<Q);oji{)JT`&5>$Vs+0w0#TFfk#nO*n@+7r9$8^Q)aY",
        ),
        (
            (20, 8),
            "qdnHS3by?+T)8bZ@wJ^fVmWEFkG8V2B0P|?M>oT~q_DoZ6EZA3H8Ik<IW<wSYP&+FL%3GF?ysObWjDY#-?`ztL^b_5PP7O#TQR?^"
            "a<HH+bg}R_WH_y~xH!hV7_x!8I6Q(lb~k#sq_nX#y*#8c#=6)oH#AGM&A4VZ!zrdXVl|&R<hsQ-VZ8RK20H${H?7UN;I<vK@i}@q"
            "1TSK^|2l4*W-|?{EU)^y#5lUQ1Grtc?6nCer#&*WJ24h9hdNBVq_(y@p0uF2urW3_H#&zb<TsDJSFf(R{xy>`);HF&OELpIj<#aF"
            "g}ceMOS{!O2(~J-TRYb{*sZ9$)49nwKfGDA6FccTK(!Y&eKr9(&A30ij=8ctfVy`#4JlE%5WJQ!AU9(<CcL@2uDPnY4m_(cX(ePi",
        ),
        (
            (8,),
            "6ti!!1~}C;x3e!SqP4a!",
        ),
    ),
}


def networks() -> dict[str, list[np.ndarray]]:
    """Return the arrays of each network, float64."""
    return {
        name: [
            np.frombuffer(base64.b85decode(text), dtype="<f2").astype(np.float64).reshape(shape)
            for shape, text in arrays
        ]
        for name, arrays in _ARRAYS.items()
    }
