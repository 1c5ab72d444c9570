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
            ")iyymk2X0e@HElF{GG+Nq%;^ZG{m?h-#u0`$t{OR#yej+LpfSPJwNfvR>ws}yF&N2MYry)5X<S#kj}x*BhSIl+|F~(YtE(4G0y",
        ),
        (
            (39,),
            "OgTw82|QXlp*veV7ChfOr9Cb^#yl4-<v}nsGc!g-m_pJ+1w-RR%0xR#o<}7`!bCnqUPLrPMM(xsR7^rl2uwgrS4^i&v`m&vJ4^",
        ),
        (
            (39, 20),
            "wyi=gtg3f32CnligRwvtGB6|}!Y^AYo-Ky4wlN2*xS{W@pCHkif~=<~6|U_nvo0|(WV6JWdN8!FSF+k9B`nIY5i9{1pReXHw=x?o"
            "1F}Lf;w?HU^0H|s0xC12gR6%%v$3o!I;o+m1}8hSR4%zN;xLA<bg)}2Xsc@}gegcIKr|qvw6O^<f37Mh+MJQC?Xjn%mnIu73^9YN"
            "zAbI2oGvY`NU))@5;f4IO0kJEEVlokzOz;>KC%(C$t@Z+DK*or{HPQmC#OfLJueoVV<|JFBdC(5RJ3X&OslD`2(FK?+^ZcY6f~kI"
            "CM;wn1|b74HI(QqL9Roh`ze#C#kgQ4G$W0)S|OLUcB$bqs5o>cb(-`oO)JbSHLMV(af9@u+agabV6$y2?5el2c`Bf^oh~Y+<TFOB"
            "EV2kKK&|>QtEoOJv8yMX6D6)P1u``#1StC{wJAR>sUKS=sjSbd<|tyPvMma+Wwg94HLC3*!6>RFbE;#fY9k~tkgd}tm#y)p5}WWS"
            "G$)%WxGt8dkg$cILaY^=L@AOgPO@4k0-_(V2`r4Y$|gppNHI;Ia3zT(lr8G4<|@!DEhI>wR-d{mVX#^qI<0CXZLx5!{~rdU04~EJ"
            "1TsM>va+|Q_Nj+546+=gaVyI#__To}zbs9z8zjRiAueDoVl*DD{4Kq#4Xkr7iX{Xxs;(*|xGYAn-?1;HnlTKkDluWCzOdx3>@Y+w"
            "^C6KeM<4_#+@$d<B&TqoX(X^KHkhy{zM*U`nxi=?CYu(gp)kdv<*ZdR_9(uvQ?A}5GOwGU4K5X=9WVqhs-_vKuPG0#V=FzXQKoRI"
            "y|G;~xgv%a{w#sB6)I|_JE!q2nlV-`Xs%5y@+(9u)|}QX9kH0Ab|woiYOGzP+^w}MHk;+6)t^T%J}@UM@TBrA>lBnOHZtZV>!{hU"
            "UozLJXtZdw>okC%LM!Z|nyKj<B{NB*k)*gXs<QDgjiX;Mtg6wTdZq3!SS{|b9;Di=m9U_d_$(QyWTHVVO(%9H^DBX_Jgu#mQ=i5u"
            "U^9KMYq6Cr$SqYd8n0g=|0|!ZcCa3+rY{*Gj3HUFa;ncNyD~W__op}~<Rknl;hzF58L%%Q<}8UKw=t0<5iZuInJ^KscBo0XXtN$9"
            "pssQ#0jk2QTq_x&<Et$h_$V|lCo<3^6)9|@a4Tr68J&Q&NwZR<(kmOCR1n8GS1N3<s4cV=qpRt#eW_O=&?pzNC@-w7_^@X*s4!J9"
            "p`$pk39$4z*)emk1~4g`gsk(c0<!+9ldA2mD5b+Kkgn)2dNsW*%P0k@?=kkB{<FfeU7t`P#vrYx3$I6@o~TG7rzbt82riDV5vd8L"
            "@vW{Y5HO6d8L_{&daXg5LLKuU<t_pz(6BcvW2J?pi6P~!udwwS{4+{0(68*O_?#@V3N1IDCakrv3NWcFTrZV0o+~n)eJg3OezAb1"
            "fUcsiL9wj1Y&1439;oajDH+4FRjR(M@G*-r&>)aEY_;aNld~l=ZK|{+PNRw{I4X0jsUor-mLTvj%AQ!4@TYC9UM5_zS07udd=}!V"
            "C9n`NNU0d4(kbC39i#P%y$<9Q&Lf*F?JztSe=6v&J+FVRI;$Tg<*kV^?k2++Sg_|QKdg_S3n@r1T`kisKrIxcP%VzCE-nYJHLZ57"
            "zN>6287P0P9Iq5F&#F+FV<~Yibt_sadMrSvR4)%BbuQ|t^Q~U3l`I0SH?JNd4leK{u_6T^$fW<T{waH?8!X8pZK%60rmljlgQ_(y"
            "9w`7Sbt^)rZLn=1=aR%8B_5$FbR?W6;w{Mx)G70?v!HvcgrLNspsBkq`z`h<{IKS#&nW<)qMN@W%%LtU2%Pb#u`N@oFEHDtI-<3#"
            "Z6=&7^Cev)TdxVJBB+O<q9KZ;-zZcoT%|Fn1T3bhz%WTEcc{*+_^2Ey94Vb86RwS|ry(1onwwBBK_)~gWvjxZD=j6fxG%A&_NYv)"
            "AD|m7z%8bxi>>Iew=9C8eXAQP2QB6(Ca<<BOQ>uqK&Ox-6{rUz",
        ),
        (
            (20,),
            "*Rv)(7`swBMLGDmr8}^>6Sq@6Xtj|$ZM=Royt%A6q&$<fL^u$<",
        ),
        (
            (20, 1),
            "95^_+L^x<Yp1H+2gSl2Ntu++7GrZxnW;kQGcsQ84wzyKfC_KP6",
        ),
        (
            (1,),
            ";<^",
        ),
    ),
    "what": (
        (
            (39,),
            ")iyymk2X0e@HElF{GG+Nq%;^ZG{m?h-#u0`$t{OR#yej+LpfSPJwNfvR>ws}yF&N2MYry)5X<S#kj}x*BhSIl+|F~(YtE(4G0y",
        ),
        (
            (39,),
            "OgTw82|QXlp*veV7ChfOr9Cb^#yl4-<v}nsGc!g-m_pJ+1w-RR%0xR#o<}7`!bCnqUPLrPMM(xsR7^rl2uwgrS4^i&v`m&vJ4^",
        ),
        (
            (39, 20),
            "^Bk8eBD4Rp3A2u{I<3~Laj^Kam8{pXoibuC%%_MlhOUDytE#}WYa|dieXtBLRJGVRj<C?CU$G-Gz#+S+4YZUrxGXxhkF?gT&MXwJ"
            "@htr}@vmI8<g5fOuBZ^Tb*xOX7PFWzt*nG904~0y2DALBLo8&rvaU2T@ueoIW-?zb)iV>R&oH~OfwU~Hp|EGAi>)*#IxtbH{4UL_"
            "JTNjT2C$PU6|p+78lC|yQnjqJS}%dIa5VlbA}s~2@1(`9A)XU5Q?jWyYqdSLHn%A@>9~6`Feb#XJ+RiR-!sNIBQ5f_QMkCXG_f_f"
            "#k12e>b2sk^s@{x-KV&zmazUP$uU_nfUJ|I$tz2^ceNk2*fPPbMWKMW%Cv4RK{C#_Jh2O!le3I8Td@B!S+g~`Y^ifK9VaFk<}J}V"
            "<f?Ntk|aPQma?|5P%^KxU@q#ey|Yj&T^zBldL-p8zpx}CYcFY?%`z=8b1TNIqPO!bL$q$NLaeW<lpmh3rZs3b04*vc9kFV%eKo|i"
            "XsF|{wXWBx5HS$A1186>S2UwHD78c~?kl*dhp8SorK?;uEif&yex^UIU=-jni>+*}img+!c`_h7YOe-1Dle#{MJNccMld)azNJJf"
            "4=j5#GBX!29<7wIGPW2qfiqgOWwTs2tE@(@@h~PVlrQL|Qllm_+%x4bBs9gYe>0jViZXU2_b`X8{<LqjjU`?v`>nJqi6!tdfTxMA"
            "k*k<54JfOxxiJwh88U}6fF@0(!zQw<wk{_X$0n+$bte|66Eb2bbupl=)v1fGu_F#JD=clc1f=gMj3litZYiy`*sk0pB{9CT4XWOx"
            "-m=g#oihBa_$tq@UokE<0I*vxNUu}3TQfQ^|1qtxi=@FcIxI3XIwkxzznKg&ZniS9kF3lxf~q>T;wqgj2`4<YKPzx9q%q1WqBM*$"
            "L@rh<r7|S3Ijko&K{81({4}Ss1uiYHLLK=uw6j~a$g*=Q(X2<d12c##TrY5~qO3@;Z!C#5>Khp}ZL?6VF)6hw`l?fz6*96V`Jwf%"
            "WH39gcB)1+8#Z{DKr98cowe&OO|g5Xa3O;;;xt1u12Zlm!7LLtb1(w07`URWcs1;#H>E<Dkt!N53bJT0;k7Qa&$10T^EraHp0XXO"
            "7PA1aFtF>eB%x9;TBUihSgNnCU!+<yvoiuJ|E%~i{xmJM@T(d#)iEGDaxSwaB`j{IKP+ml0j;qpb2N%2OE<x=d9u(Y0x(`M1gTuH"
            "@TvKxku5y1F0lMG!6VDFgCxbWJ2Q){=`JQDJ*Ky$Zm{pLc(7NtgR(%X^sx>x`8BM!jxT&6!nYqK`lE^@OfR*pMVT2k*e;;1_bgyH"
            "HL6830H;+g2QsFzF|?L2CpdC0CNTrJEVx3j7O7u2a4!Be;kmZ2e=MXl&n&7NCo#3G)H)8S%Q9cBA+TwrTe8!!oFS4b(y~gj%sO_q"
            "@3yV5O+A#lnXL&j`7@TUE;;wH_B0QozNNS|958w{Pck7iYP1TqMmSrn)G7k3z$LOWOR`Qb3$URvB({|*8m;`NQnvajX0>*?pRHCf"
            "V5q7sqp85O#k4pziLoUxY$yjb;Iw}#*p_ju(X5Iq-MFW-5iYu}%(bN;Osc>!?<qy3;IZqq$u8&~POvGd>aHQN5jcyqUo@Sx;;(No"
            "8@mrKtRXQpr7XIp^rmdJ(yubFTCx7I1UM5kg|f3Qb~vrEH!$a*u_>e-iYrO9Gc8svk}Ni{9xy_#V=bjQz?>v7g)HZ!@Ux0CZ7_ML"
            "k2HX&Osv+pPP1^XBeF%UKC~~e>$oB`gEUq!R=9*Oo~#MC=o~z-iLg$nIVcz|7qR~#Y_#mDM6@!kt1tZ=vK^8lF*pz@cd0zByfgwG"
            "yCDjw!!8OmaWGCEDKK8N5-c$zt}eDNAR-5_pfP(gnk|^HFD*qU*tIvYfg;5-nk~aE60wc0p*4A|QKqu81T14P`mzo!4=S6rTC!C#"
            "iJw@lM=jg3im*Ab;4k#1C^k7X(K7ZiEUc-pYqMrHLauQo1+GfA",
        ),
        (
            (20,),
            "iLntpZnz{r5Ia&P?>H>IL$$4~LbT#A3^K&2WjcpDVzx3h*ftTR",
        ),
        (
            (20, 8),
            "2tCxdpfa1Wd%CnYAGZ%MIykV7o3yeom@W!1IXc_Ea<-nik~%y*gs<MX2QW3UZn(I$NVr_Ob-3p|6g;Of%eeQtVy=rj!nSTWeXL$M"
            "<}(7QhOj9++c`?PZ7_JeC!VUj6*`$Tu{9&PsI+!Ek~`=(h`ZJ*axWUP8o8V^QYwQrqBx+d;JfEIrMvMp9<e30PqeAI`LqzUw>xG#"
            "7p~s9hB;g~zBp^LQ?l;32d-|l$GC#8YPa|{Q$78(-ZILwKsb-J?5m4B^1J4;cq$P%yEG3jzdNeD88AP)T)a&+#VahaIy!+j=&n$*"
            "L%AZf#=QJDLA5!wpga{kNVP1tGP_1Oz`Fylr##U)E4lwVeKesqqqvH?h`2{Q3b;TvoH%Q@%)H((95;wIkgRRKE4A6S`Z)P6XE=8|",
        ),
        (
            (8,),
            "HKr`DTQ^EMim#I|6S>$h",
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
