"""The fitted networks of `analysis.onset_places`: made by the code of benchmarks/accuracy/fit_places.py, not by hand.

Fitted on FluidR3 (MIT), Karoryfer guitars and basses (CC0), rhythms of Groove MIDI (CC BY), own synthesis. They come
from several runs, each begun with the weights of the one before while scenes were added (codecs last), not from one: a
single run of the script gives other numbers, and does not show these to the digit.
"""

from __future__ import annotations

import base64

import numpy as np

# Network, shape of a layer's weight, then weight and bias as little-endian float16 in base 85.
_LAYERS = (
    (
        "coarse",
        (97, 32),
        "9<9O)A++hS&?yzCCZ=#OJuRRjHZi%c2D8C0m@}re%CYz@AuL=i1TF@q=&}){RIFJrpsepG)~1oL=CoF=)3|u8zp*U1K)We8MZIG@"
        "#I%I5`8UElNT}+%Z#Drso;W`;P&9ZkXt^f5Gq;(#2Dgqn9k#za8Y{K9IjyHKOekU`{xIpVVXPuAlPTgN04}Sm3n(<Kf+7Abi!2|Z"
        "a4`ER`mJ~{Iyhmg(y(VNvnbOmt}Zz+&aOQ)U9cjl1ud(pq^htX!7m{xNUd%m*Byc=tt14dN-Z`j5HlGm9jiO6=&J;xRI7R{oGG;@"
        "_p9Kfjx6ml6S24~_p~^$Y^q$WYpp;ujvBD6<{~?<da_t8TrD85dbgS>R4vIgmM{vnM>I96_pcMF5HU3>T(0P-EvYdg#;p{wjWAfP"
        "3bM>MuPSjhaw%~z03%^7d9<o96E<!s1~hQ8i8K>B%p+;6G_+=^(6IuuZMMd<FC%j%S0aeAh_O_#6gH!;Ew9uvU8FfEpRQD>_#`|7"
        "K(@{<cBr{3Dz<8>buT!xpRZUg4>*D^<sJg5RV~;q6*9{wNH1?J479f~qp{Ynl_PvChAs}IW4Kf_voPm4pt)Q%p)VS&e>CZ|X)IW>"
        "Z7{X0)iYYIVXf4?xv)dJ_odvc0-B4sF*4;X^EJyX+%Ef`!mwegr!6xqNTy&Youdh;Kc)>XlCyduJ2Q>4(XSD$xU{M*JTO0~>94~s"
        "2rq7>ny~dR5~`9cxS-Co@H7IbDKq0G`YCF(MllK`oiH3MJ25&eH@IspnKd^q%P{k?A-MP@o+a8NT{N#LizVf#53lj2MKj8g*f=7t"
        "MJKX1kuIS(6tpg`04`FkJ+=ojsW76eAhSxY^q_4lm@PCg1h8K;OE6Ed^eM%$hcSnjM>H3+fwa&wi8UfMt0cuaKr!VrEvb|-ku%~m"
        "y}B+TJS<2wl(Bp)sW&P$J*Z!<0Jl{w^|o9sBd%Mu+qAi`$uoAgBD6#`dn-PoA03+`eXYMUPO&num8>tUu(C8J8ya`E0k)1O{Vt3#"
        "LbQ{yX*TS$jIGA6^ROB%van>Zp)_VBV5jphlQ#LVnJ=QU__ND1Zz%t;1v>pRb+Y$2w=q+*cr5fUm$J{djIt%Pd^Ur$0XZAI3Ns$K"
        "2Qg5(LZoE6$gnUtz%;tFVlcd{yr#q|51%ro>m;GCDlqP+T^zZxC@9Jx<}{x-TQQ)s+%hD!NHmEcxhmPRBrO~&60paqS0s<I7cfX9"
        "w<`K6AFb>tj4|M__nf;d^e8_ujxwq$>#&_JJg&8+!=>h}dO7|vi>>9Zsx00q=raVX(lJr18MGEJBQ=aAPpZQ;$~0d%Dy_<`v#<}e"
        "+qH}^4yhh7oGy_h_9~ONcPt*T1R1!jcPKEgf-prZkhImcv#I5<a<w=##I=ktVXT-rDK#E6=p|&dLbhKdr?x({qNv(3`YU`f9<a8x"
        "wy$)p<S`a5sIu{_O02N73$%5)lQBE3*Rm-wU@pZl+_M`f^Ro@Oel~zD-7{=9F|Nh4I5w;tY_8ijNUUYCETZKy%`*2il`VfBAt)`k"
        "!M4?~(JoLfqO&BlQzXW-LpY<TS+<wD`?c{oPr0kM&O1)B8ZksPO|ot^Qz?_U$2o7ZY&Fg?#j@n8>onM{C%Kn4-my%$<)CFbfT4CP"
        ")+=ALeJRbWKqDD2;;xS_jxy^kY$$6m6tWMYE2=Iw$fioKqB(f4;54%>bg&z&_$f-U3N*a1eXv8RsxD-%Of+w`#jdn0hBmS>FS6yX"
        "_%MK;TCk`zIkfdH@~kqj&#)A)hqP8SA2xt7Co>+pO0+|*!?W+S53Z=NS26-IjJH>@q_kza^fHt*Z8SfyDl!thwJ?G-K`2!*sIspq"
        "QXkMYBsGvS3@_z1JT?lfx;Mir3%Mh*T(y5Rz&ZIeLounM`>`p!wKN#5KCnTt?>7LwjW)G5x-z^j5;W+ln=eu^nW_gcbu1;Z+cgfh"
        "IXT#{JhhIutg`|&2_jfE8KASW`!d}!VY6$pOfws_!y%Tl{58k2J}m7r`z-dcLoqO`OrgxMS1|~$`Y^pC$ubtQt1<vKVlF`>!?m0;"
        "RyHuH+qU1b=esdEJvp+xemF{?tu<RQ)-&BXe6GB=@HVM0wl#3FiMB;K&opr~M6kfSSGZEPT(nj?3$(kqk}^=R*sKq+zpd>vDlpI;"
        "#~}x=YOn;V3pPx#iKiPZ^f3jijxL$EH>zi;6{0dPl``lwJuZGM*femh<15oMBQ@i+)-B~PFs=nD{j6QGsWIWW6(~zFsWQW@e=o+d"
        "D>XbaJ2Y~zVWkK&?lM!ea;Fb40<D@ZuQQ@Ai#F~&47EP7z%|w}9I=MBKC<+!KDd*(t0+pf7&UA#<Ty;WWFW#aL^V{l)-Fpi3NdT4"
        "w>3;IysHR1xfL)lUbh}NM>c*X=rdHYXt)X`%P>N>EjgL8N-%-3T{3hvJ2Y%Dp)~iix+liCCbY&jxFip@GPK0FLbNor^sFW;fUViG"
        "VJRW7<uqKdNiNc~e>J@(Mzo`{MmW|iN4VBHBrr5KJFpouE;wYdqcVdpjxks@8l`|Ljx@6=6(v(JnI%6ne>4uW2{F(pg|x>u7OIQ5"
        "Nim)@$Tx*A{jj<?=qxKScCJ>h(=ef`xGg+2m^NlFZMe5KS2Wx#YBZ-S!?5DA_cpjHxHHhTbSKm_>#hm4T{Rds95WU(9JnpFR;rvh"
        "6)b$UL9|q}u_xm!v7$n>)3U-IK{3Q2ayLOKwKg;)M=nY=Y&3<c_BLv<fGuw@6|jq)O*Go9Shklljxwn;uekLtUN_7v-Y^iXGBJ^="
        "OEtl;vN3ivx-i|ZG&1O~Ua%^lNU3Bp8ZLgd12c{+ce(De1u>(u{3<szATYeLKeR71Ml{v0d?{<M;WtM(PbvN?Wi?hQcQe8<1hmRD"
        "<}@|22R4v1%CNsQT&ha25Uq1L<fz9fkEIbe*&`4xfVJ_kX0;eJMz#bpfi`feb+xH7Za9`O2r}O?_OdXy*|LYS;V=#?4=~5G>9zVb"
        "PPmq|1u+OW9kvT2<SUz=`?riP_bT`(*|F%gsx<MdWUv`Eg)05DTQbwK-?1($U>~9~ceTVI&!Rgu#xdZyGd6%RvogXgKPD8nk*JHX"
        "9x$XRytYg&OfEaIXry^C6|{Xd12B^<yQ2g&WwZjd5Vy{_%eVff_$Y@loiY2a3AJUd-Kdl_xU7w|cByPMNi?!BiZGF!Uak~3*fZlS"
        "RWXt+J-ITnDz0@kK`!|?imaunHnMiG3p94D+ce{$9X8;y+%u{(OSG;q1h68qsj8_k9ySy!fv<fqbu}8X_bx9jI<hA%eld(K5Gk;l"
        "KQebWhqW^`{w^yt-#85_Y_cjhwyUzRK(wu~mLxtTP%r{DD6k~73n}Bcys^e1?6VOpwlwZF(6yX4O1XKsUo4Zb2(;O=?Ka*jVL0s`"
        "b1$4Wl{LGi{h|xDfU<$Ia}#hd)UzJ6k}TP+z^WcJfvj#f<*8mWMY8}d*0$WNBr~_LKduC`L##kD@f<NN53u;GYc7?p(YPfop{5J8"
        "&a3V+fhROG2`^Wpsw_h=#xET!4mBk$`70D6N4WN=>N_DP^|gH-BQPR3wlW(z?6xYf6*vDf;V>+=Mm9?=lCf*M@VW#qhP3XoeYcIZ"
        "542n}%r$U0C^XbB!lDtTBP-*m$D$c6RJ8LbhATv+NwTFZFD;NUO0t9|cC6a03M$#9(WBrqFEL*z$g3eAgDeiOBrdM76CowE!mUgs"
        "uPWoID<QnBd#(_rN1~%LLL-DJmoovdtG3uA$Svfo_pB`|6tD<2Zm_tUIj{aI+9pk(3oId=O|cuT>97BtHZMsib*z1<!!A}ax-d5#"
        "*s=*M?KB9nG_gJ^Vy$T^wlTvo(J9`uGqj|lvb3$C`>nGm7&J$&*sU?JuCyz((l>Q2%&@hs4zPDO6r#zjwzSVKC@5*Sr82a&%rR!Q"
        "TP~TgX|jYP2&-+f6Ro!@9yAatJ~w%(R52B;Z!#V*c&~`C{G!Y;L9Qq<b)t?gmIjR>9kQJ;1t_{J*d#Zz4Y1!cXEDDtj3`$izNMS5"
        "C89*B;Vw}m&LbYOO0(lEL^)=#MXPP3Je#sKH8AHni?jf+WHgekY_Tq|XDimTZLX!cKDs<K(Wyr)6tjjY<Esj?|1q1e3#ITQWHBhM"
        "5Fnl_iX`zXGOvFybfti;<F1&bp00l|)vrvf*fN5uI5CT$y)BwAt2AP$)0U#BJu>B>S+J+4daYxu1FNa1<s;rPYoVnq4<)6s8LW9R"
        "$}N*D`7M>O6|{aPT%k-cAS)TBA}Rzmttb>FWh@jeGa`DX+9-J>NUhc|CaI90XdF_nq$Ep-zOcwH3NECunz0usXE9`@EwpqdK`4Qx"
        "O{$wO_$-nkGoy$j*QkH0!l!Vjh$~C0z%UT8S+d!*l{JX08Lzsi(I#s(EU-K>bFjlI{4_u>xF#~Rf~=pio0?~^hO#rQR3mw^p0%hl"
        "9yARvoG^_lOEeFy%B`z4ah-}T=r47h{V2#Jfvat;B_|xMr?R6gx1&s?8yo{Lw6d?K-77FKv#@e3xT+eoEiY~;8?I@v^(BC%k1Q54"
        "J~S|@I5L<u`ZNl)#jDskFeL`Cw=@?j&@14twzBB33$uW?A+xS211Bmb5iv_P2(or9e62pOUo%^(CpD6=D<C$o^DIa$T&x)~RW3Uz"
        "T8k^EQz|v8RxeK^hon!maWdQ{)Enulku=AxhN=^$)hbdSNw1tPX{SG|n5_e_>!6k<ex=1ObS0{?p0KB;@u%#nzA1C3xv}dm6RaCE"
        "0kQ@yi7!GjhB5mnL9Y2EXDeqcjwr~W1S!rg0Ij63i!e*6hqe79b0iWpFf_F+in3uWd?{eCdbHRo(XXDfSf$jfBDC?XY_IjPY_+d3"
        "8!vz^S*?jM$S|fXx3s>tg0WjP->?>_*QqEm&npu(fTw1tT{9i5q%5MX`?FlMgsXwEXt%91*e;v3!Ll(j1F)R0buhuPGB*{k{++=y"
        "__f8bWTw%tpfJ#}Yo%eT?5y~xhp$94zpTS2_noORh^P21@vsG|-?45nP^oqykujO9gfw}y;-o+;a5BX&+qC4c*fq?kHaeWRA}}jD"
        "B{LHxd9^V$*fJI-$+6z13bq@!qqj4)aW;xIeXkrhvo%_?vogo1Vyg7CC^WH~H88@XR;fp>kT4c8&Z&$RFQ&8@G%OG>x+kwBMy&L)"
        "ZKG7J#4cJahcOAIn6cI|b(wUm2C3^W1~6Ez2PLquzc4W`q_46tKr^T)1+aawDkx1b&@fi8L9M7UY^FssQm{2Hp|u__(Jd^j!Ld=M"
        "`!YB!8YZ!+TZ)&n&aqOmHW0EeMJo0q+OIe?x3G$))Ueqw|FX#`GqI7PimD5@X)2klAg&}P+8I}`q_gBPGNk3P{-wnuM<{fy9khP9"
        "YcH2Hf~~)<dZ@3p?XWF4$SoTzTC7hm95S=C@3E{N^RoQ1`K%Q<@UaWD8nPQW4XF#Cr!wKUjwNigbsI`DF)&~*qO1?1tPT>fkFndc"
        "+$w3NO|>W|>NZ#{Os-O%5;Ke_FSP-#Fs(W-*`@|9=A{`l2B^2IIjV;#o~1r6f460{_B@#~`a3VXOf{M~&ND79YPsIHxU<Z#|Foko"
        "5V-BJ=BwPY*EgIv<1j2TUN~*7urKDS_^gt$k1MAmSFSrEXe_cMO)}OjR<wMsP^^!z93&U5c(H6Ut{kMMQ7XQyCml4j;k3^$9JoU;"
        "MKp@A2{V_gU>?z_NV8cf(<V@?WHDVZ<}%N;Y_SC_yECsZx~?v&Bdy`C52Xh%xGpgz(5?Kc>M^UW*(+D9WGw--wkbI(HZTx1@+IT2"
        "OSPIUJu+*qud8G(&Mh4>87D6=LA0?imaNjR@~@<_!7UW9L$s!_=d0MM1FN<yhAc!fkFK1kyD6_QfTWkV%(ok>=`<3l?l9=Bps&m{"
        "sI4n8lDDC(LoO?{wzD9t{3Z0XmaoD!R3Tb4c_*qg1uX9{Q!r_<?W;(%tf&bvQK^nA9-}C(@wJjN7bpO<!Lp#T6Sx^IhA}>>bhPs@"
        "`!XvqtGC#%sH&Yap069MZ>t|9jHcYM8nG5IS2KIEr?q}64LB;YpEW49MmTyjwKCF|{<k`~JC*meezo1P=d@-tf~%UgxH0%P#<mtN"
        "fj9`Ttuh%g^|T$fzqO^XldY~Z3aS__sW3k=Ca#UKfh!uZqOb^?E2cy)Ofqh^iLuVEn=w_m?YSJN-mWt+P%y`+j4Y3;oFO-}t|?`)"
        "7A|oq<TXk!^E4@{8nDA31~YRsFR&q|7A5gA@v6Y9GoV)}QnA^zQ>=in9Wt9NAT$QERVwu@M=WYF1h4|R4X<FRL$M+-4l%p3)Tqj_"
        "1vDiuWVWlRkhF*_+%RIWUNalD3A&rMf;J!~KQK`-9Vxf1W1FzB2r=xbTrMHE)TI?PpedIrq%A12?l9Rk5H_VJy0_7-gsGFTfv?Q3"
        "crl!*FDk(@eXRR5Q?mOrH7d*^Ga$bz@~WV;4y6DzX|-pvhpTd={;YMfd8?wZ^Q!7AwX$BQG%DCHP_Wyy<S|#D&>}^#x3h{W+ox`?"
        "0Wl&najyNY9wUgcRwGccOR!?LOgV6@-L6`=125S%7BK*>Cbt5tyegNi?Xm=|bTCysWHdJ)2Cp<X{H7(d_%_rq(4-PIKDfv*L$l>J"
        "bgj&+F)gYvzA`?sswobw(=f%cm$%Zbx-K28d9=H<PA{h=4z9zt;JT-+eX($|)G^X9M=%7iIVu@7Sgwt=B(;07eld23->Yb{L9MkR"
        "5-@}$&9Z!{z^|C7Q?lVUzBD-|F(ZPsxGNkh1TkW)UnpF$_n%KRyfg1BnY2{1E4bOF`>IzqN3z_rT(N$$5Hdk5t-67&SSCs{MzjE~"
        ")inJtRj^LCTQK!9jx;)|eK3fv(67>kD6t4I@HM8fD!0%sVlo*r<~HKCTd96BkSHHB1h_G@X{dv+Myw{Ll{I-dn=unHSt@ibr!Q+D"
        "sy2tIJ2E9PPq2<9#4?dLDKKX-jF|eU<E|kvjjyt_dMLg!mN1{R^e|erW;A{=<E`H=<+ek#r?62nf3rcb11kkHJ)CE#zNaj*8?UY|"
        "%cg6%O*DS5hqEHLUo!hPHn^IylQQJBBCUTeo-Wui@2}uI6SDEGpRKbq$uoDaaXDHups&C-TdDxE<1-{UowUKQ6tfB>&#?ux)2g|&"
        "STAq0hpHPg$P~~w;w=WXAt}T$6f@<wfw)vL3o-W{MK5C%|FN1XT`)<qsjY-FR51@TlCu*up(u+qA+;d1zOdRc^E99|aj`)$iY(hW"
        "%(GN54YXUWo-!D=gf>;POfg0;Z4V!=46y_-v$Gm3D=&~NohOAh|F$F{j<w1zM==dHaWT|0<TQG#sVm>3a5kDLaJPuDR5u^AR5C3n"
        "cdc%&1}x&SD56@i0<g9)H?~NwR5Z`A-ZlxcPB8W*gC&3{QLFZ-PA#S%v$P~Q2Q`H@RWP+R)uq@gbvPI<o;VCQ$+7~q|EOQHrYr+8"
        "Mmim~$}3SWKeS7!>NN|q7bPFC#k?P|54kfqmoTllnK>7=8nr_=UAXbMT{J(qcesK#JvmpjeW?vJ1utDEemLN?H?EX1d9<@PEh>??"
        "pEx8m4X*&LZ??@hW46CI`!pi7PP-(ug|Q<!nl7Zh*R&=#1UCULe5d-j_c|ys!zD^R60>MB$}*%hi8{BPJt5^gjxm5Rmoee8gR_*c"
        "8L7;rqqYGzE;p+ouC**RlCmzkEjf%lTfFWnV7ZyGSGCeRjyfJZzcXaC0Vi9jhPDAOgR@RAr#8gBs5u+2w7Rh}fVZ+ZFFGZ=AvwK0"
        "invX_&pRVN*SaY=A+@xzb2?tU;5524g}9ccIl3&ivNtNY*|iflsI+i4X*zPPXE1c5+P1ASI5m&C#ym_o5xN3BA~+JgI5++|9Xz%("
        "6f)W`z9&d5Uo^xlAt<&e5;AYA4l)+4dL^MLk2Q5IEVk>VU$RlVG&g7|@h%&*$r~T7<g7z65;U$Sdo10WNihtsjySS0E;tLe+o~6`"
        "JvTQkF*yFY%d(>?P&Y&`H?yv+Xf&!gs4tkX?jupKcPKh4Xg9_&;yZ7)q_KrA`m<`aj4tsp$STRL`7gz_I6SZ)D<~~AvLR_FC!{4f"
        "K{E+4jkIJc05UH#Q=qFiQ7p<ZzO!VKd^4%DA}-q_",
    ),
    (
        "coarse",
        (32, 16),
        "BsGI6&@1J-9JPhGTQnOqCab$N*|r-reHxy%;w+CdTsWzsrZzjP{vk^z3pIbT_8=cQ4K}2>C$%xRys9g<mNlI;j5ldEkuoQ?cd_a;"
        "%#-x82{dB0d9ZIZnlsHLlc>M7qcN?qA2BhtkFmxyP`ukTYAofkyS7?0v?*7#9kd!Xwldu~&8^NjLK{*uBe$NjC#-ZZi?c;GVKX!|"
        "LXssmH>7~Gfw?v>CO91&jkEnZ$h0arsxG&<*{GE<BsBjwl`+ya^f+fYQ8JRclDnR@B(-2Pi!unPw=?~*J*~<$ax)9G0l3RGX{JLs"
        "y)8VlZ87~WiMv{`H>)r<RJIeHbuZR0n>GuyqN8y&Qne~LCNU^F>ao?lO*+vl9=9Sid$ztejyYj86FAYh0ImVKlDKL(8a<4!&bIM1"
        "Lop*XYBa03L$Vn;Or^fHY&bDGp0n#Tw>1$jaW-zIXR%5&HMoy5E4C~fS|JRrkTw4_IW`?JyRq=LBQYv9(5vsYLcGQwa5#fG8YtVh"
        "wl&5qc{=W`4LIgB1+C7k*R<a>=CIu~G`94y!83+9cQaQpHL<0+TRIIj?zS2?r8wNLF*j?rEV9WW%P(@TZ8c>rbTW{#;uS+11g}mu"
        "G`9&e5xM3b$eHRiSht_8q&Qi$5v+T*0X8Nv^S30p7B2iO)3GQp%C&pA#VXJ(u`WifWUu2m3NBQ)l(J&9WGZAe0k|tUg0gWiwKxf}"
        "#yH%#eKP^BjW{hd#jj2{S-DNP+_j6d7?LtNoVX{g8LwR`P`2H(z_yh*imI-*2ej6;7Bp+O;kIWohO8X6pRTz$r!;b*yDpwA&MyYH"
        "IXFl!SvbZuCofm8X|667@3ic)&n{J^tFR_4{4!>#`X)B8dM^DtTs;ytLot)R__%a5Y`PjbPPxRa3@<~ohp;C#@UX8n0J>|kTr*EJ"
        "7%(#`tvHvW?Kc}Q;VtSkzcb^iiLC*v!8fQl|Fa@2RJJcV9XRi{ox1Nh-K`%dptch=;xff6`7mfWS~p@dyfLD;3$o}nr!ZJDxiSGW"
        ">oU%>wK4566t%^;4lq_c<E>mdSv74tGPPf{rnjH8v^J!ySUBOaV6Y3cj5I7U*0lvFDmB!ym$QnT#xRbwo~c(b;g-rDRyV;nye@aU"
        "<2hxwLAF)7_%b~_FfHae2{zUzW3+;}O)`nF+O-Wha<@1&R<n;ULbJUw4mrHE3bdrKJ}|en<GI!^akde&(H<=<voiy;{V+kXMz~5e"
        "I=BWo=en~s>9}pGG&H@m+BlxJ_$}<W(KehWiM2woD7nrxm8|eGiZnMh`#Mp%wlU1I$hb+kcr;lun6$(#z%c?qu{G&6Ju{Q2uskd^"
        "M>g^>KsO0E1vNFYZ#Oiq",
    ),
    ("coarse", (16, 1), "&bR$BK)BPln7iP(i7;@v?m9@ja=G5P%{er=_P3TcA3*"),
    (
        "fine",
        (97, 32),
        "yf>M%UL{_zEToDs%^?;dG$)2JUNI;q^DQ|nuqbmatS_dk?y_ez%_%LkgfLsOttp1J9<KzgxUyU?AF)*}NHf*7#IBApKQhKFOgF?e"
        "nXF<gA1OL8m#ez0gs*}yNilXhn<<?!SsR748?q)ipfN3>_OS1$7cpnC!Kz-bakcKT{UGSEekKa2Zm%z>W-P(44lRkSXEIGOET{Id"
        "X{O~S=&^n<60lS%Y_Y(uy0Cn$A||gU4m89t<gUiCjV;$HDKo<|i=r#ES1ueV8>8kdCn&uz2`S((jV(R239v<~9xP5MVX)^lCa86>"
        "BOeQ@$*LSJKd+Un$1yyp>LbCi=A~javakfKXQK(U%dB)VO_)|SM4`Pe$Dv~|Ml19y6)|HjQ#FMvzA<;PA}wODJ*p?Jl(Q$bPb@hh"
        "A*N)rz%5EDZK{qi95@{`Y_*Rp+o~!pR<z-ywK8fVpe?O6NwWMbm@#Uwr8J;6-mcoIOszmKr!b;4iLp1i)2n5*j<Az3+NvS4j41u5"
        "s3m?ct|(_ICaklvIjm5yeKDITzODDM9<(;D*)Uo$jT<5{VKMNngs^-r6D1a~JF!$PGN>#rnlD{6oHE@l-Xc{gtuZVtYPHiLYb+J3"
        "t}X{OIWEPrZ7xx$EG)Y(Yq6NDzOm-8t|_x9yEO%*x~iosk}ChN6{*Q1nWmes=O_m&Te82d*q)Lt<1ouFb1OS9LNduEswfaL7Nx<m"
        "cdcwMfGZTF4K0<j>#SiaTd+E?IkC>Kw=v?WimgL0M<?*894t|-S+h?syelrP^DZrx1*p3)tgSpMY_Pg22CkvD+^E8=YovB8wlWX1"
        "gC{?%-KR#Vzc8??O|)e&1GGu1p{z$UXR|%9=`A)h^`vjAIxPJ#ys)+)0;~oq;xPuXiXf{kEuj@Iz^xT6>>tLlE;Ko@G_-v%c&k}5"
        "4K4blQ>f=G;4sWBw6M!8-!K8MNHrU^sjV=v|FIo1Q7&~e#Uv51|FC{6g{5J#J2$Jd*{!j(<}G=q(Jy@@NVMZE*|GN@NHp1~iXs@b"
        "1uA_okS`gyyQ$qNX*Dn|bt#xGmn*O{o~YKYtR>y886X)l?x?J@4>bicC?&lw)V0_!Z!;A!*Dez@x2v6{m?%OtoiCWMg)=ZF?K2oK"
        "aikF-ezE~FrYv(HrKJC<V6oe&sgz5shOL<<UZ$Hdo*>qxYLdY!L9AIVYqA%jzp}lp#;irCE+N#YN-9dN@D#A9qcJ$CaGUllax_h{"
        "jx4jVv7~)0i?9*0My;fjn=Q?;KQG=fF(Q+)U8(dfBrx49#3dIkvoGT+g|5gd?5@(Y^Qud-y02+4;4C{X@UL^ReK=#R<gg+x%{A5|"
        ">?U_DD>8VllAL%oBC$s<^)8~Sa3D6fwlg&(9Wcl!QLOc|mN5G*)iH}E#wB#EH#GFCDKg8nRwSw|Q?vUt6SX)nKQSsaP%)V@6|NGb"
        "zarr;*s5W(__3!gGO;ACfU`6xgRi|b6|=9f*Q}|p?=>+jeKIPuOt-u;DlN;T^|CfGE3v?+p|A<HwW)M0c9pue?l3DjVl%TQ$~4xt"
        "NUpOn%q~wY$g4#%awelLo3#fuQ8*wn-KO(42q>wp^D`4IoSt<mkti*-(k#EF&M-l?Z8&8%?5csW?XK0c__L!kq%UzD9+77@KQgH?"
        "#3lbQx+hC2R;_w4C#`NUQX!MEO|7P^8>QqZQZH&W(x`qa0We{&pD>29o}Kn6Q7D12a;V0w+^p9phcUvj=P=4AGN*za11(P`iyoh>"
        "6tUW*urYEgzA%0%vaqDAd92PNrLR4zT(Afs03^8^Ww0JLiZp*M(XjBY_OjTq6|mJWAT|`SJ*WdRoia`<04|OpGPKO8U>{I26C$~+"
        "Z!#t>C^T@lldo2><gPm~jVMhsa4&DHtuhF(9<DYiMlo5k!>OaJNGOUmiZd-Qv#6V<8zB0iv?(RH>?k^>Gqb0%=QIyDHZgLn3$vvt"
        "RI2#0J2NF3_@=EgQ!wkO_ACXmjkWtPdn;qGiX`(ec`0+I2Pzpfl`aq-UMc>lGA~jwyDSs5n3)W+A+&%pcQD2){v;AD*{eUSGAfoX"
        "!?ek$PA@|^cQLA~?XEs7x2&?MtS$~K$1mnBcq$nf<0&(-bu<yI$gqVYt1E=CJuP%8O0c9Q{Ir)eZm#zxSTsenY9FPuFfs2jk}x%^"
        "+AXl2tSE!2v?9kU8l*<EOtD2S4XQ~QD=-=^v#yh|Xf1Iu=Pn$nHK>xVf2Sm_i6xCLFfpC8^C)OG^QUPijH?(cva%d5v?K?!9jwhQ"
        "9WZIIk0J1<p|1)p%rc@bc(Q9YCNY05<gN!XsVF}!<gw5*dMm#zJFzw_?kH-n^sp+kXs|#N@F;b#fiBUs1+t8^_AbRMt+Q${QM3*w"
        "uc75HI;d7G1hxGe)-SNCK{6OLnK9ro47kcJyPcpT*tKG$3as*%BB@ibQnCRjma(p^NHR7n1sWtUekrxE6E#vTAFXgMObw?i|12jS"
        "!6u8S)THRFMl?pWw4*dKlpCG1t2QDrtR0uFbg@)1TBYAK__YbK;VnfeF|3cJ`!Of4y*BVFORRjb^(Zki{VXRe-LhddV=p8q%(R{|"
        "!Z9|hj3nK#7`MDG$FUzaJ+L9594u#?FDx*rr=y9T1uhOXqNPl!zb-g1<&|L#^`&{O^Q|Q?&o8;L<0IO$1S^iRdooX`Qmk97<*Umu"
        "ldSKls}6QC5v^w|gEKs_dNcqizA_~<aGcgBUMNQ}x18{=rZ0!2X{=2#s4Y>liLl|Xd9<FjN3DglKd08NE-Ue<H8V!Ewlmc;&!re9"
        "qbvQe?5TvcJTd<^S1Zsk3NkpWEws(1urii2<uL21WwPcmD=bhl<)xH0wkp{v&M>+try%R6619~i2Pd+utt##+X)qKkODh7FK`6(m"
        "Ks16XSF{(SMK92@W3>~n+^sD#%dIvrU$N~rLZ2oy1R_H)(kz!H<gs`(Zx+U`uCF<=daOn@xi7A?*s`gvSSXyXfiapd<}hnFXD$@5"
        "Vx`Y2g|3XW(k#%c{2(%~jI)6(*(`6hOtfjU11<_L$FLwRp)&m~HMO~zp)YDIKd%P3+Omfvt1=@oy|UXVrY(Fa2Pvs1EUNpk*e+uQ"
        "<gjM13@RQljIYV43A1jbr8HP8f-`F;MWqQLb24AC;Ir*GlD4KOnK1mZWHHIEPb)jGw<+SVVliYG2_kMWn6=3)QYZf{hOLn=H!-F#"
        "s4#<@Bc>KK0V;PWShCPAM>15jTCfZzIW62StFBNmaIT`SS1v0qS+Jlm*|4;+GcdlcNHC5uRx02nL$P2m8MKHqcr`~fgflLssjP#c"
        "fV5?<>8*OP&85z*XR3Fnk}}V&QY`YZ*t1fuGN#m}hq7j~p(JoNy)70cN)&grR;&>;YAy{kc&zX<X*De}Wwjc#MJnC0H#ER7L9pVk"
        "RW&X!LozoobTULPzBHpN)G?Q=x}DQDE2tH(MzhedNisw=#W1oZd$4je(KHk=(6isRxTnN29xhn5m@9>`8l~Q?*D*(@BC*pkPBW~k"
        "A2}i>^D;~<x3#)5ys<&Dim5=YjH@!FiJ-WzUna39d8$9Qr7Z=l4=$XfA+6sqH?h<)u(t9wcCDTyvYT<D&@Pm(5~+TrQn56%Z>uV-"
        "MKLHSRWy{bm@<;Fm@(EYR4v%CXsr~e|Ezi#L8b^Q%P#@0)~J}N$t<ik1F>kYk0=zYW3JLC+AZ#;gt6=}3^DvD3o8UOjxoBeGp_C}"
        "WUz)Pd!%`u{jI<#b10oMnyv_~g&+^5n6tMk%dfSeUM}h*XQ`$!F|4Q%HLXjs>ZG5qXfC2Hb1<5;?Jh(x!?ReYU#@?!fU7{In<&>X"
        "^fJXNnxOzP5v@Eerk%brt}(Zvd?{fvAtSZ1d?2|kJg<nP+bhGX3^paM{-{4J$gs<>dMx@ebTE#Kx~U2_BeFO$XtppioH1rAJ+P#("
        "JTwond8ntZO0-t56ERCKq@h$Z)GkDzcsG`w1*~y2qO(e{q%0PuzcPz3{j|F)x~m>5J|lc2VJ&PlDXtc-4yb-8d@gx1?=UQ@c&vIb"
        "87FhB_N=6@b2MtMh_T@*YOATPH!vV94y>&#doOk{II)JY1245N0x-@bm8g&^wIvCv8>+piSTZsznY8?|QLY=WTQN8^=`A_1EG&X3"
        "wX+hf*RZP}eln6VJ*}UxaVR>iYqVc3moAYsWu)&c(Jc3{{HZgqK&MYCY_Sh5M5{=xi>&)ILZy|ZRxP))r7K>sAuMej5;Q?EIVwl7"
        ")3BQ+%P^j;K`30YK_sFk*(@O}Kqv*PUaosHx~HO_HYy`CvZV&BR-X&8A~n4+UA6qFwV+>=+%2fCiyl#}k)q@<eJQ&n!m|CKcQI<S"
        "lq|(AS}r*)T`m=-L@%78C@y)a+p?pr@v#=Md#wW|_9`~CPOZ@_c&y2=B`LTuSu*S}^(f^oBPx_9-m>8w`6wi<jHHpVyQ}*v0WI*c"
        "ysNsV@U<hYb)%y!oUuSIJhRp#8LiALRIN=clddN$*f2t?b+k(-;x2l$i>!_@C7Mbd=`gk_=8~MN53bLtXDvjo@GciJ!7ZevQYoXT"
        "B_~-Y1~nfv+9*FP<}y_<J*x075;ImRf3oMPs;y-t39Tu!F0lbDc(k}K;-=!ShBCyY+c7t;kuoo@45I0z+qCmC^RZSkpDZOYrkb}S"
        "DwWqGudpXAO0KQ0HnMH8aWL;JF|-Y$WvVMMg0qA*Au~#*(k`T_U$3Swv9H`Rrm*fU`!JlSC9tfr_AH~HNG#ecx~d8$uqu2hm@QK?"
        "{;ETeburtjOtGA-3bIZzz%i99nx;P|w=uab=cP;|H#FZX+$b+BhbkDIXe2-;g{wX+{H)?7gtO?b`I^zHIxsbyr!Mm?Su_wNYo+og"
        "i?5BYQW*oYh%qOwbF$<q-Ks?{axCy7_AqKHO0(cDa4-%q5i-^^tFx;zCa>76R4(%#uO$~O(=Hh`;33W`F&Pjsuq~-EAg-;nyDe!n"
        "y{-PKwy|g&TqrLyPb*fjuapWfAT9nh)3Jakt0S)>)UbssNGaAV6sf;3MxKx$3MdLG3nhP`Ln^=_gt3vJ@-74`f-bQz*)Yp73>>Yl"
        "wxC(9s5U>bR;|IM0Wd^3RV&}LEw!pEw4`RRiX#P{1})^U6D)<SQ>cinFtQq|!>jZ&Q#Rf$!Lg|)LNR8fFRhF;4y&xSOdP|lsVr_F"
        "yDQ=+87w|19xr|`GOl*85+{lr5iqW<F)wSYP?!!Ve=Q9t5U_YMZLBJ-Z!qF0Kdmnz0I<)p6fVQ9QYRs?JTalFRIo5CprZJ*`Z5=)"
        "At{xwtulq6j<6juwJa5~xwB3(lrBau4k!XEh@tl-&a(k2L^R_rqoozJvau^HJg(C+9kF^Ub+jHRhp()xI;6O=6Da1ZovkUZ?xk3s"
        "<E=m~nJNpfP%iAM?5?aNW-!yLyD0&qD69dn&#gf+eX#o}$*_;A%&{b}Ixz93GcGT#DlVC`Tc)kDHLguGg)SE{w5yY_!!Ft{%C2Xw"
        "X|^6PcQ6*Rdn`z=Pb~T{*s@wJwk`oE@*HKXH?bA1`6VeRK{IqQ2B_t$WvOa0MJ|OakuT^o>#LKjC$m^GGcI2){UvNDa;<<UnKR_A"
        "%^^&!0kqz-QLeinF)@KGL@{PG39*K<SFmKT-?Hv8jj?pJVJ*k3$*gFubf_(@S2RSUXRzEXcdJ*XnJ`JFb}ezN$t6LYi>*_x8n7ua"
        "Lo#Nvill?F_ntH~Dl>K|`nKFFP_Gj$94sU*TdJR|%Pof(PoyNRqO1Ze2Cnt2s4!!x9j#Cr@~)03mM)X7WF{jtw6ScbBryCe^r*I_"
        "=_p7q0VqK;1hO@(7pIRi*00X9fh_5=4xlWtgP7JVKB%d#04-vgy)!4MK`#msnV=J~XsWC*8?dRZwWwb;)S}}r%`jFiBCcUCBeA=p"
        "XDKD5X|U|Am#wX`y)->8+^-g}7AV~<Rk0YP)vPV7%_~==rZ5F45U=YgXRg35At?VWX0ArHj<v?7xGHude<=#7q&2ZAhpf0Tj3DBu"
        "%^vwA{iR*8vNS$}ak9FkGck*<t+IX~PO+}Du`Cg@B&Z}Fb~Lgq7N4LjxuD!JOf4v^S*4t`Td?=6rJ^!3O)GG=P9)2*>9KI1rLL;9"
        "wlc;T8?b$_c&bG#TOUfWA~D)46fEAVRI5lYNwR4g#IGHw^(cKUfh^uGJ+xmmpDPU{KPS+zqOcq`cA`D4KCEjv95s2Z!Y$1%LNJXj"
        ">7;Hg7qR!WyRd1YlPKh}m7w3TATM{W+^5^Ib1uUmnKaxU;;o7_V=j@XU@VoYx*&0}BdY7Pza{A@1}ayf%&zJ$d9uHyd9oL@$gXxR"
        "*0c?*2r$Pg%Oqy8)Gzun(z3fUEvTzA*fdiv4z&iXrK&733$Oq&(ld{!;IRfXNT+czd$75#q$EYL_OfNP=^!kwEimz~s<T?Bf2wY;"
        "d$fKp?XZw7C^38}^R&ONZ7Bk+tuE)Ux~ZhKj3r$(Ew!+-{j-Ozlds?`rL7>TIJ5vU`LBGavMhNo6eowUOSE$zAu#hPg{2EGqAV7!"
        "j3oRm=P{%yJtwCxVYH61CmTaEj5e>YEH$k$7NeJ}w=O`h46kOWrY={kQ5$|V>b7#SDWl}8B{n&tS}I7i{VL`!Kd8Jf$278-;td!o"
        "8Lb{Il`W$%6|o5`(<lwG^ek90$})#CF|0-`hcsBMkFuDmskDl)tuR+FMXy{aJFu0pNwJA6oHN-gMXy0HsI7UjbFx;j!6%8TA1|FO"
        "Qn1`GB`r*_r!fjM5wy}TK`<>VCa)|pZ7_v1r>|eJ2P`+PjIIWqBPXFPU9%dkMKE+P_O3rB54Fg&ycuz=+_2)YtgK_U46w0~3^epK"
        "-?E1(GckLtz9>jAComJRd$63I#HK8)hA)AzjjRDIsV9CY*{n;aZnt`_Ln~#je6AWVo+P%iU@|u<_BA-F|FqVzgfgA6#xL-&<SSXM"
        "9Ij_AnzP=kgRoJhbuwKc8LMHSGOanRShlXSUa?9vSD-?$pe#GIzAou8h$%)MTeJg=I5VUjl`_>a+OAG6O)^-h1F&wi!LXV#!LdrN"
        "Ycf~1GA}|b!7zujf-q&WxUGXS)2*|#UMKynji%Z$uB=9}QL9t4O)Hl*#WEi>@HE>l9;}0~aHfH>l(F<GSt+Y3VlZ1Dq^ZcTn6g%|"
        "<0f=1u`~y*i>xQI{i1I-ajzbsm8e`XsVb&4^Dh&yR1`|6IWi<L7%Nb%ATsQ;12IdmLLeotfGrHG*EII6t~3=dmKU_OKQaBXpt1@q"
        "BC#B(%P(Ltm@3(-u`)U&9WvpnLojQnda!M>WF|c+9wjTZrnOVF=(k*|*`4htg0b|dU9ljxt}o&+R5A#(H?ip~QKxgWk~P>Mdaf@m"
        "D7BV`-Y*$3Wu?)xQ?sBkyfB$9qN)<8HMG*Qjw(H_bsTmB;;O{BeJ@R>oi>g!E~*Qx(X$=54mB36^CfC9=rv@oRW5X&%&dto7^o*K"
        "4y@y}tu)}Mo;EVHPqKtKg{&ntNub3x$f^*nN3imr*)09I*e)n2%P{F5`>YVG-ZApB2{w=_Q!+(0kE+WqwKE{F=PI8yx~T6gcCziV"
        "6tQ+PN-@@|c{8iBN;ZxvLmV)vurPa>JTOv~2&hXeDKCz%f}U43GO+qDTq|-i3!wfpIj}1&Ft8#q*03+I0WSowCo}G<voaC0-!;RV"
        "zpYL*jJ1%o%CQ19z^$q=pfEPGO)gw78LeTi7qx(=)S`E=SuzMBcdiU90Ws9Dak6YN0Wmo)DmXo;A~WN({iql;6S2uPzOZsIe6y3L"
        "IVw%G<SdD_!nVn>&YXKL2dUJw#jj*6sVph8FSn^UTcl4lXefj-f-n%W%Cdws)He^bXfdHDP%+)B04y@IU?sk?;4+6YttWJ{8Z-(w"
        "r=Op&rmbfv_B7$JVzHL4QnzI^Nvs|@ez2po=C5cku9}x3!yOwDVXdLD-z{UWOQ?UZ)~z-v3$dUvW-;3-U9jXiMXy0MWi`RF&a!1T"
        "3^yP&-!+6He>roov^Uf-X*SQXcCx3qL^TpOJ+Ni6B{tSFzc}BxvMu|x?YHi^hAkE=P^-x(_N`T^AE~RZk1wF6Z7+tf_%TJHAu@ce"
        "KOWO5AE-I3IVXuRcCDK!b1;J%Brta*j-L0edaIAB",
    ),
    (
        "fine",
        (32, 16),
        "&$LRoSRMJa7%RD}>nA=qm8=^xP&M$b=q!n~7BdOB&A7g_)-pXU45_U#wvg7fi>&>u3b;X=2Q^T%E4bz<5U?_{5h%MYYB_5u+A}RI"
        "K(s-tzpl2hW3U@G$20G>r?G+?jW}wp0k>qVwX9??x~nWFu`mBLjxZ%Tkg^On=(VXis;{Rwg|)0V>NANn%Q(Wit+m}S%cU^0oG}5c"
        "MKo@&8YH18V>DK>HM4TI1g@<%4<@&<Ix_&SdN4AvbTc@(KQZsM`ZR_s4zWHq`?LVBzN%le9JAN0R5Up>=d?+=_$%)=1GIcDsj~jF"
        "5HL+F6F8@-+%!107_&Asp0(aG&N7&*OtI>*FEs=)mb6B-<Sjlj={U$TF0vi3n=z8L_^7cts<C1=R<Xjg{W41)@2=|<{;yyy^|ae8"
        "S1TZ~zcoXwQYmsJ+%&*32Q&e>fiX0w5H=sQQ?U^-&$HaJI<l8IcD9}{%QPgesxB3@AF>v$Kqzyzn6Yv(khYMng{=aqCAHJ5>^2)X"
        "zNBNYB(JSD?>1g6Ft_NotTY+3<)Rd~Pcl5UA-1NpQ>ad}qB!NKp|`-YdoNQX3$>#uH!!8C_pcPQ#H2#8f;kJcd^LSE;x-brXS5s$"
        "-LyhCFtm;;=C=1b?>KcM1+Yr7Vyz%Fjkc^WbFH^CF0^bh3muv=4ld6y$|iWW>9$I?p{?vX+%C|vUbO$Y+ByR*k+B4@9W$i1rn4(B"
        "q_p9%54aDoE4B9}j5ZxR12!VD%(H;BbTb1oRyBMu7&J39WS~d1xUP+^&La`2X*evnv$hVZsWsZQPOnX@7_m4x2rS1Rjj4Jf%P<bK"
        "(W_1+;;{WRWvKu-BCHFx6`TsPEHq>?DW?mysWGLTy{%9-&aMeCRkWHhG&L2s`!dA0Ixh;dZ8LK)#wzVKV=;Ly7q5#i-6;C4@i7M~"
        "&o5RqWGRa=u(eRK{4|NOi8L>>KQq9w#x_W(Lo9AMsH?@aCA1VazO#cjaWmOCbG838&oo;&E~+3k-J+2(KqRWRHZ1oxov?Mcs4=3l"
        "f;Jp5CojvdAgll{*r5Hgl{Q8<9=Ay`h%*E<qOT0L_OYWUXt;VbT`qSnoi!7*elgpuA*!P}S}mflU9>Q+0ykB&5-xAE0x$Zo!?qqa"
        "055+u<TUuNOtYV@D>Nv#jI&8N1FcW80JFt59J38E!LS~<$2Sr+5wGDg<Eqp(#5KL3!Z2BmX(hd_BDYVhk+#7#p)tZChOyzS6F3jE"
        "J2US$EhzT2Oe`TTlP##Q#j#d1th5@n2e1JyU?>l<qB93HQLF5&pEMz|+pKpdL$if8Q88GksI+sdjkHcHqb~+80<VdfA*kgqPBGCQ"
        ";4l=f-7usuIWO3!Qy>^3",
    ),
    ("fine", (16, 1), "b~=2t*t5I2H#^X^9kMSt(6nzhO1L<&H@)XJMm&HrmaG"),
)


def layers() -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """Return (weight, bias) of every layer of every network, float32."""
    out: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for name, shape, text in _LAYERS:
        values = np.frombuffer(base64.b85decode(text), dtype="<f2").astype(np.float32)
        size = shape[0] * shape[1]
        out.setdefault(name, []).append((values[:size].reshape(shape).copy(), values[size:].copy()))
    return out
