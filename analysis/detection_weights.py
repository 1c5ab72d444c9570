"""The fitted networks of `analysis.onset_evidence`: written by benchmarks/fit_onsets.py, not by hand.

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
            "05?cDw>A+f_cYML6rbX@^)z5IFvP7Sl08&1#x0pgsyj3~F*!&=Vn5Q#LdRc4oI*6WA-86(Y|H1)iq5vqAJ59q*v@LsV9ut_KhF",
        ),
        (
            (39,),
            "LpeM-{yR-Nf;&|_5j@;GradS<z&sc&u0b<2IWs&(lS0@-14GwD*F-K#lSdv!utYsXUqm57=12uhSxiVw3``|USWK-<xlEQ!FiZ",
        ),
        (
            (39, 16),
            "C8~xX`J)}NkFr84Nwm+GsjbeR;;T6$cP;EGcB`i*Q>}+ERIuEs9<!Y+e5>i7q%yvukg(h)e6PYSH!0w*^DEUburqO{{wz}~`m8Ok"
            "QZf`QQ7%}UH?T*pg0aA{ZLHlbLoI?bFe=h5Agz}zwlOFxbTx7-Gq8dy7_79aWH6jG2QuO_1T_q>11{CDr8X`tFElbHE3}oc2CjcH"
            "Z>7^TAFZn{$f|lKcdfUv<292cNE+5CI-B|{4l0bR?4Xu6?yTh{|Egi7|E|2W-Z*I>tF756%COocKP4ZrrY<-&J1F?9rzyE8zp>r4"
            "k2FdmR;W)VRV=KgZLO-Q9;-;Oo-l8#0I)1B(y<mWkFQHAR3}24&LKi91F##baj$ExVy_gZ9I;`siZAXja4f{AD4HIsu`Ir^vk><y"
            "mLN7X>LLxUA}Kzsl&1Q$`7!~WK&uBKNGIs6W+nrtB_K2`?Ict%N1#Y7d@x<C#V>6QZ7hN%t|-B*u`9<U43fPu+AKM&(y|+`G@>dg"
            "i8P-ljIIhSnyFJT&a4%%;jR`jZ>*@VcCx#%F0Q?=r7^vzW2tkcFfK1Cx+@W~f~AWpPbljdLa9Qi<f#=Q@S~U@JRILAu&U;uFR9t1"
            "45MPIR;+%mLZ~h(J}@3EJh0)QC9AP0hbvhVZmupRF)G-sCNR#g(K5I(8Z5o4sIZGDl_lINS*;-=|E%yc1TlJ@6)}CL9j+{_vnF~j"
            "im~-1BpBc-zN~;L7qGk#KdEu02&tPhg`tSC#WYYb<+8jfWiV4KFR<t|5+VXGajy2C(X7_6B_x3<qcQQW37RUVQ?POzTPSU-m!ruq"
            "#;^!7c(9Ep!m-J+7Ob$XB`*`7=c^i^aIb_h*)1HZIjvi&Fs630#;#Hz7Ou*z53#JIj;-XVI5=#gejmrLv!DpDt}h_3<R*bK?k!xX"
            "Y_nh|@gg)IIW__;J+1RB+N~=v<E}lcGcMhs<+;bJGB3iZaV0Y(U$o~RhcE;&KBr(Yk{`t~J}rMIIk~_nTQg`OmMt48eXf8mfiQ_D"
            "QY|Pao1mE=+AO!SRH-4R_a{lH@~If4wk=PxY@~cL!!cj5&84cSsH6p`vn`h*h_Ub{w5~uW(J7j+(ytacNgH;q8mPsulP=)0Q80R{"
            "TdwRKGAL&%EGu;}$EwmXxwJmAVzGfKVy~Gku{QZKeXsJS$|&KOVK@mhA2B^5`k-$o(kyf)peqF~rLL*4s2|QHz9d4U3@1z>rJrXn"
            "Te9&dK&d6MQ?8aQ0wNx-4x`Z>x+g&$LM*{7qOM6Nwje~QJ1?2CDXcguvZpbq0IpLUV4R*LMKH9gD6Vg;^C%gp_APa=D6U8tk}h8*"
            "C#-uI%9%7FswQcom8)8?n5gWiGp(F2B${HXOQ*RloT)mb7b<`y<}R=<AS?^5^{GN7#w&!aU79kkBM;QBVW&2w{UGe9@-3yVE2J_i"
            "9Vr(m<eI~-&@Ni00IU<Nv?}SP8z!L}rYEYd0j-BA0WOuMKP>&QOfG_`bEapb_9NCI0INwUW~nEsJgfy7F)(?USTG!*5hqis=BV$d"
            "4ka2USfBYOFd7%GsjkAKD=C1iFPa%CIV@+c?JeReqptxbZY~`t3oLrDu&DJd",
        ),
        (
            (16,),
            "sywL?Up${ZM?3~8>9?OagEi1M+dEDs)h}N;n7cJN",
        ),
        (
            (16, 1),
            "n7LLuPPyE=@408VX}!L<UOc0+_PDsQvO7+>%Q&pL",
        ),
        (
            (1,),
            "xVi",
        ),
    ),
    "what": (
        (
            (39,),
            "05?cDw>A+f_cYML6rbX@^)z5IFvP7Sl08&1#x0pgsyj3~F*!&=Vn5Q#LdRc4oI*6WA-86(Y|H1)iq5vqAJ59q*v@LsV9ut_KhF",
        ),
        (
            (39,),
            "LpeM-{yR-Nf;&|_5j@;GradS<z&sc&u0b<2IWs&(lS0@-14GwD*F-K#lSdv!utYsXUqm57=12uhSxiVw3``|USWK-<xlEQ!FiZ",
        ),
        (
            (39, 16),
            "JtU7UW4DL1HnVoLXf=H;2{gZ~5-#g72DDQ%2`CG)C$q{jG_+DPEiv~s88kpL6D%1xAt7NhVz%2hl^3Kct1;OV88Wo5&nSI0BCVe_"
            "&o<&QgD*KTr?&krrZiQqeXoD0PN!_C!ZFFN2rj9q5GD$*belb{Mzw7vRx$W3Gb9f)(K7tBmY}n<?J)1CT`6HT5TqkDOei(AFr;s<"
            "sW)^syfe472)6ey3^;~5-!)}A)GV+$8L%xjUa0u6E-#}ri!&H29IS3On<`E(eleFg$)-s+X{mHLJhT%lx-b|t05eiGx1}W}T(;=9"
            "6S%auEwywoUN^_JuD4q@Xt4nsC?xGNmM%}Ef)sft#WDb}L^6*kGqVIJ;wa53s<I3pm9F}+%d*R&OD{n;2QR=foiva&k+S48bTV%+"
            "1TQMG!ZKJc5UfJ7YPhO0ld8kFKqQJSL#?Z*xv;A=C$7}7jjJ-RNU~upE3q)JZ?p)k*d!LH%&CPhr!YG%3#!K~j4<1<yRd&WKdg1I"
            "P%n70h^ic{=dvTMq%Ex=ktyu54Y2Vok10d6sU+1dqo$Q5-?GWI#j!-KVJ&8{V=DA1MWt`7KrKM7W-Q^Q2rNIXQ?XGYuC76?iLSRW"
            "6SFq3PBc5Jb1pwH5-mEi>a3QhUNY7uPbeOxu&?K@I5bKyL%4Ub4Kx<EBQNc$PBOr#sHe28=@iAVEw)~;sIj*+<1}<6>mmV=ak8&2"
            "Z!S!)z^>mb2(@aYH?Oobb|{s!@vy|NCoNPk!!~p^4>Zv)_NcbBswkc?kvC+q#jQ}XAfLmo9W4m2e<T<*N~|WX*S6B5!>_BY__d-d"
            "oU(c{C9{kya4TxDnYGHbF0cX^Q#2MYI56e4(=xg)YqkwH$THb2ake`w^s#WLT)5S?khG*NAGV&h%PTsuE3>mItSRQR>??Dwzp6wi"
            "qPaIQoHV5@WiiaOh%Iq6rnK*?*ROE6sxKlg;;>z%oG%TkrX#hjl(tSTuQ7$NV=oc3@-JPnBc3lYvonD(doAoTC^E38h$kW|aWu-Z"
            "XruEuK(a!hM>6>!=(!rS?zO?K{;6`YMX(mIvaQ6dCNv1K-7o$!_Nzj;p|rm)fUqdG6tRn}M<_oaZ82)AE*icmyez>oy*k7!A+WWt"
            "`7(N{b+4MV^SR(S`>vrd2RCfE2DcZuUpphC*)!uf3bkOe)iq$aD=j;>{V}bgO}9xgsy2qL$+1^1%dEJk)S_T9v6RCwRVdmbMz6KF"
            "H7$uVgD^v^FS2JdYcSk14K#2uLa?$bFDslcMXH)M7%LDn<|Hby6tf;Ho+NOy_oRC;y*2Q#*DH~x1TcFx?<Q5V#;$U=gsnoe4zWwD"
            "m#~g0pg1!#ORvVcYbt0qRW#PC__0u};xi>Yz$TWk&NkGtXQo88!ywHv@2^3#VX{K01u{gmqOYkh^DGuNUoiErh$vt+Ah4^e4Y1(2"
            "4KXq^Y$oul0<!%shq7=OeK6;w{x+;F_N6o@iKk{U-n7cEZkz<90<ecMzp-<)vZ!4xVl@J{H7xe4<TRcx8ZTllStil2Os%-4wxEu!"
            "OS8c<&#afTb~013_%6sX7b`QguB`i_yDG>pC$ZZw88G^>&apbMH7v+3)F@e>",
        ),
        (
            (16,),
            "$g|qG2ROYkzqSjo#k45A`Lr;%Xg%kv<hfuiMlNo+",
        ),
        (
            (16, 8),
            "=)8?O88M$Y@G|<Rh`O;b2Q<yK6un%!?LA*DK{%YM%QX|Z0xj9GJh^N<>aNbS6uOlsVJpO_-!6x{K03}ixUb&3Z#-=@ggAA)OD@|t"
            "9xUFi6SdH@0k<MG-9E*;$~l`fg(q!1961%aNW8DSHalNDcR2Vn|1=1`v9*xA^DXE(vp7((n>AP~K)uejB{&+ZwmcNMoIEqMFSV7v"
            "UcFPRSUI`1i#yz`jypZMU^6>BHMpO;1UGN8emN+*_^F(=;xIq8usZLxQ@H>=d^UkPQ9EF|1i9EYuDO%8c{mj~W2~7wZ?TrLin9p3"
            "+r2_Km#BHUD7a5FXgXy$",
        ),
        (
            (8,),
            "thhO~>o9#c;WmCX!JW!9",
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
