"""The fitted network of `analysis.score_evidence`: made by benchmarks/accuracy/fit_score.py, not by hand.

Fitted on invented music, played by FluidR3 (MIT) and by own synthesis.
"""

# Rows as `analysis.networks` reads them.
LAYERS = (
    (
        "partials",
        (22, 24),
        "jV$Y<GBT1U2(N=Fzc#HhYP2e~->}4{ow-1=7`4l^wy<Zd3nPR#&aRO+2(*E*cCjX|lqx>7E4E}b^0Lmehc2=*-6k+D@3D9%axnNa"
        "d$sXCcrXmJ3$0$R<upV#_cnVw7^K*|H>CM7inK2@7Bpuyrnj=S1g%1|uQ@-pGAZ${UO9a<EHqHO_^c@{l%+nnWIR={xU^g|^{Nv&"
        "GA{D5v#^A>%Po2=rZ1W~VYMi*(z2B`d<;>h5uyjOdn|IT!nCroY%16^pD!M`T`eKCx3VfUD!FAQ1F>|j*)O@UtT7d^sWJ01Mlh}}"
        ";4nlk6tS4KfuFvvxwUPvGPG~CWwX&V3@yeo;4RHE0yMTa%egx?Jugx*Hzh_eW3=I{Ft3fSAGg#wKd}g|PP9)jm9q7>$}!5NPq>P@"
        "xivpEaVY?>J3Mr;E3h-U4>+|om@KL=Ofi2k|1M3U#ION2D!2u(uc$G%xHB=O#IcK|FSOUPxGgxa5V#w-E-;QL2(mskEVP`n(y-<*"
        "jI^e*hPEL%-!r+f(l4j9ud|>mOfQ%_9IEaz_N)*w<RAsF<+kWM)v=nkOSMKXxU+0HS2bj*uB}eE&$14-ku^g(aI_h>kh0;iNV~nX"
        "lQZL|kuwFfOg4-y&yadLoUk{v%b(RPu{FT5r!HeOvalqyk+Ie{rmUB-_qGzQaj+sZAhswii@Bk&a6DcxEv}lcuC*wvEjR|U_qN_Q"
        "U^02F7O=&*w7gL;I=D%(X}Gy48nw2%l{8!}W~<OKk|^dg4!GwuK{!w~S~gd`%QiN(^(juZ$+W~Pz_eMm&#^?f<vFM=RJAUk9<!1u"
        "5iUqEnYY%fP&fuHtgouH?>0-ZSTZlRd^O#$53$y@CNk-_zcrn=SGXv$RW|i37pxAm_?MTnbU2GOow*e`lBt8X&o>{mk1Q0aA~Gs8"
        "0k)(%z%M`~H?<VEvZ(C0`?d%-xiRCdL^&QhrM7{yFr9ier!RIVgtC&e-m*(7ez>-%tRZ~7>bGyUWH^yHTrLkNsjF?YHmOgm%dRXs"
        "54KXYFDf!SU^9NUaJ6$f*)Yqp&NI-ph%e%}i?cC0&bEp+oHDy41Gp(Rm@^tKT`>i<?;$m}7d-Q|*f_H;;5PIvpQrpXLbbRuxvYjE"
        "*D^gZQ8X7gYplsM|FH)oJu@#WYBV7(y)(tF*e&R=qPd;4yP<@ukGP|{iMHc6mpB$PthAh*C$xt!G`a<-@V0)mbuxsmw>f69tGsY8"
        "9XnAwQabxMR3@+{a=FGa(>UKT3AMMmRi-Vuus7+t>o4xHF}rpphOrzpkG8S6%rvYqhMqjETPuIIa4tVKWT);kA2JBI4mb@u)VW!-"
        "BQgoK9l4RT8?K7A#WMvatF#5OMKp=DZMft$G&vnF;4;HEg1OEs2svXnBeuD*!#18YYp?}0PBogdBDi!p",
    ),
    (
        "partials",
        (24, 24),
        "zcny8oUbjc0WXg@ax_D<{I*cD8nqm@={PL1Dm1|~MY7en=P(r@V>l=<us0thhdi9OCalsnZM$Kt*s&bCmoZ-@tG6UHVma+ESUJnK"
        "3b{fdDm=@yg(y_K8n7QMHZo4NJT%ZT9689XGbiXSFEmxJMY7K^fVQzJ4ZDW1Pc!zkL9CiBAG0L6Ot>t#5xbDN^DNjok}^j)zA$Yu"
        "jkF0Z<Es@lW3`I4QmtgRVYo!Nq^}}55jRYwOgN^vIV%6R(V%X-zqLU$t+_3>`>e?^C9~o%Aw0;f4mKUGezNy6&am^Xfwo7wD>GS`"
        "A~X>+9kU|2Q#X+yAUR|#VIE_)tFy-~4za5>89BzZ5V$Ke&NH+(XsdlTi>?T=t+kW1(6v-GqbV#er!^=vv$eLi#W*0d|FK#%ZaAYf"
        "HaNsJ&$qI-e6Za)WHykrEGl<7EwJjfJ2mLAK)hnBRj&jx=`skl1~d&YW2`8x8#bk>nYOFBX)>QM;IR=r5H<s`xidJgo;KDiA+-xN"
        "_cy4sdag#Z&LMOhC%D3{2e=WgJGE1^-nNG~5HMG}A~9&UcBrYfz%qX-J~Wdvd^x$bpEj;FA1vEBGckuTPpFtTA~4Udzc}}-d8|&j"
        "6Sq4me=+GTtGPcmY_Vjve=*lEC$?@mv9#H@Qn$x9DKTZV)F6GYG_{GcUp08I8M}w68#P_HLAMsRmbpSLS+ry|6s!(3o3_8Sz%h5Q"
        "in9$f=QYYRbvQ7sg)ot&D6UMjjxrxG-Zw|HpElPtiZ9Nv&^PZawziR~m8}0b@iM_8TB_@+OfX?Jp13r!KE2L0rLJW)Eg-(C@j6gB"
        "Dkz+_YdXWYqA`Ftr!iMJMmRw%wK7RHGBAU-0k9}I+BMRxuQqryey%c`j<&(Kr=aJwbh#y|LNIu<X*2Y+`Lyga)idEN11`%ic__-V"
        "Gqa8^gs>o{Ub|4UD!ihvT{mi~Ts3c{V7GTQy(;s#zc*>HjIIMT_qTdAwKSTzM>w#zD=u;|dL3LfTrqYt_p$r9;;_0i`LOgf0<Od("
        "yrA?kR;ZM=7&a6;WVCs?RyLQhps=?w^Dj}kIJG_(xhyR;qqt-?jl9&kGCF6s^}6FXB{Zx#&9>0FKry*FHM9e`I5fbnjJmim<f@q~"
        "gs^<Hf3Od>Ua_{S6t&~6(61V@qA)o(aWZ(fU%Yg+95pmA9h?ZbuCu4P46=8$AF>WGz%(;86*WFI$*!p>JEU4P6f+U6x3@jCz__$I"
        "Ybh|TpA{Z3>^20n-nI(0!>r3L8mP84%(2Zf+q5yQtu%i(v@BAwi88FZ5wOFo?X~zb88cqE2)HvOQ@ATL0W|Kga<)=6Ex5M2m^4bZ"
        "sW?0|O)J|vg{MTfJSg)tc(RbPNho-^8MFy9@u7>jRXB0D-n3w`P9V3fzpgeiPBC||U$~YpZ?~Jc<2M?)>ay;THMQWkVz_~^-6m=`"
        "QME`ldpO!OJS;3Otva?j#<0RQp*HQ6?=EaJCpaxISv5d0l&^}id^dizA2_2qjIp$^*EWr^bG6(x?kqwxATcU5G%e|_5;k`@B(P$!",
    ),
    (
        "alone",
        (24, 24),
        "3%KDqceQ^wqpw^$7c<GVUbrH-Tc9wta=9WjjkQ@VH@HhY+cm_ousWc(V7LjlxG`oj4Y*4;6|!_PO}6JU1h&tz2DJFHt+7q6M7T0G"
        "sW;A_JGb+-w=xv3U9uA}rL{n_>N8%jbgp)};4@)00k=gq4W%G1JT>OE6E^NJ?<|@$S}^`DQaOXOMXda?=_(jDVKARFJ+#j#3B24j"
        "g}2@&-!W>Xf;mCC8#t=BS+lC3_a(kFZ!o|!6R4rLHN0i0KRZIWDI^@bTRD|E<~9&CqrCRGUb3e*!Ma%-KD3269Ia5h_PL(7d^okG"
        "<t?4HC@#e-F*SKMTcbueI5-QqTQ3hdy)$nj;Gwm<W3hU>+qM`uZ7(A-D>E`Y^|(~C!#WtX=r>xp;y2$hwlG97C$$^2wz>>FO1wq2"
        "&9}IuM71Nh)wLVDzBiIN?77FH0z7%J8aSJ_Jhb$$Ryd_K2Doy&Yq(adb-VC1g|tUJTRW??J-ej17Ccui?V^u3vp2P$kSI^L3bfF*"
        "J|xMcTrLMXKP~^R7AbSHBQs95`z9Z<%rg`)l`_*bx-u0tS2r*%Aut)Z@T^=hbhk#dhcFenY&DW7oUMT}1vXf<)HVyZ8n@FeuQYr%"
        "xiML-&n(xrhBfE6QoVz!4m|%k5xT>&e!UK_?7aD`BPj_w0<0RmEV}!&<TlSZE;8;o$297)WjLXzcPNY)0l4-vL@<CSe5Y`?TBw&c"
        "u(B4kYqA+R2)9`_yDcX<UaA1Kx3ID^SvkA1F|v3zM6fj}cQ=2xVzZ(zWi%Z&GA_|HTe1qdtT=zRt~la4^|x9z>#%(^EGQ4N_9?Np"
        "h%Yd*e>OBSmbgVU2DE><R<E8oS~{q+?l#RW_N`GfJ2j;*b+m4?xvqOOCMke6tu*wwX*id*)-)I|;VmXG)-(FDC^lQHU%QSs8#a!#"
        "1vZ$p=(XFlsWfi3T{wHQ#x>h9?zWGwh`7QqwYU4U+pguX1+Z(czp(Z+1vYuK=B?H-c`m;+$s<I!doTXE*fEo{qq*v{W-m;&mbl9?"
        "jIV1ggDPgRAhkiHfU&%({HU@x`KM#A?Wh^6M6IB=Qn19Yq^3-_zP2u@<}h$Mw=c3br8iWr{x$rtFf@p`Sg(*YJ}{uPY%vx$=Q+AG"
        "8#UNA;I-Pa_cqBn5iC<Q`!y@MIk-Htle5XSFe;HO=rusL39&dgBr<d|>AY+=2)SD^94}Wk<1~M}=P)L;e704tzb@)Du``94+A2pK"
        "88dFLX|^1pz%x{|05a?~nk%NLI=QMg7r41IaI#9Qwlr2aZL15o^tZgRI57x_!nFFh9zG4Z1wDnkfSjf~bvW)i#kEJZ2QkN~6t@no"
        "?ztVWt+^(;m$av}HaRFaOEz0ET{OqEYBf|XwYj;gusF>*=ABr$P%YlLTrgv%OE|}<xG{{gv$;()<1unI#IJ$1Fu6K4E-d-3pS5GE"
        "^0`&BY%v<MDz(e1_%^LNt2KhJf4IH4!mb#u?Wo|gM6*t-L^K<+6)_jFUNnE9PBe2huPFhSGqhnbW3qoC<Fvanb|BfXt*xl3b})G{",
    ),
    ("alone", (24, 1), "wYf{Uh&6?{-#CxDtUW3@SvRpX5V&Z&`M3i-z`6mu!mz%%eYnoLd${JdAu+o(^)L"),
    (
        "beside",
        (26, 24),
        "4z=O9Q8%_QE4qWW@3_J(U^%6=GOy+{=(>2WBsYIGBDOuO2Q$U9ia3F&@vUSylc|X^KD#V7_9aiW_O&-9i!4jET{a>p1Gd1i_NiMp"
        "Mlrds?yZ`tI4Higp)SX`3M>t^&93&jayZU0qA^*g0<)epnl<OLmO00&KQ=zK6f%FZ;ISAk-<^djb~Vne^0z@aPOS{F_A`1ky)gbQ"
        "EV0-$<u$!CGc?<@>$H=(C$<WyC@#^tx;ca_hcq0t|1uo852|&#T)56Gb~^8{_OU&@Kr|{g#<}V^(7LKO2Qt<;G`bEtRkR&E^*ARu"
        "__o!tGA&K5J1NLC^fNfL_PE<HtE(<6uQ+fx!7ux}h_Rb2nIuInT{5&VqA=n#qB*j&_q92-a<?<L8M+&+^1CXzBC|3$ox1Qf!MYT("
        "&^f3vw7bJR<+WirfHzyU^s(YOa=RjrSiEGo0I-TU!nC5f`>`W4ExM&QOT7g-I5Vd?GrHxW)U`M&XP%2L%(UgKTQ*NIBP?gIV5_gR"
        "$TE~Iwy-iUjJGE^Lo-FVO)CbpQy@C8=r*;rlCBK3gRXWfA-AwNFE(AQIWqkzs-~<nGp0Q^`mt}O1vo@Bm$>nw+PA~FytiqvPqaL^"
        "zb{`kgSFDRU%j2WKQ~k~YB036*sgpyY_;$*m%MH-<1A3H$}0M#Ww>%U)TigP@2(6n_qXRW_bLmnH?SA6XEzTp0kv?ZTrv?UM=XLY"
        "pfDn|zqZ>mOE}!D+az5z54Rt-CMxePbhG@rNjQVFYcQ?0CArwJlDZ5v1Gt4YV<}oRXEivjuCo8NSSG?aoi(1c6fq09s;L&bd$cb%"
        "Of=K6Wi`?_>M~}qMzoJCpf-`Xnl)*oBshF52D%J82eO5=8Z&V+1~eTpB`^yxhBy~0Kryv6DXev@A~*#&r>@bk88yW<F}3|QPO(n7"
        "4z7@>g0SPcmbsv|AGZRz$1udT3b&52g*E>*+O#*cXsS~yA+)D7$*9FN<T+fU0WVNAf4255R=ICA+_Aqp_%tW9;<S;sYcY7VU${ao"
        "vNh%~3$j-&=`GW^a<v$+g*A)0Gqg@HE3hfI!?l+qvp65JZ#P=G+_f0E4KcbkwzK@Vs5Nh_GAijTII6-fAUIbsST_hXD=vO2ZLd)_"
        "O}45sCaKY@b+t+^EI5g=**DiE_Nw_X(7BE^VmZ^avp7SqMX~-jBr+>Gda;c*4=}4PkvA79Vl<4nFfkl9>aawu;i<GQyRF$TzBH4h"
        "9=WKrtuElWEVjJ4Be_&J;<0D6l(Ski7_7!JJ-6hj^sB|Qa<@J?547{9*D|d+3_Kb+6}i8*J-3>(-#5^-{<oa9!?fWw7`u`%Rk!-J"
        "u{35j@w`|yK)2U5FFWEXGBTMpaXD--KBp)!UYn@5bFdaKAvCc$EjJ7_$+0D@qBF}NAUV1zkF-}d3^^6LjkPH^l(QH*2DKVCBC$d="
        "kGAo+f-`rrytQ?-w6(`LOSE3Hwl@5<<FVVYG^^OP8a}Zw#jmij@33jElDN||YM}HprnU{V=q!Y+jxRs7domR*5iMXmQa18E9<aNm"
        "-nS+=yRZYbs-a7@C^`PHNH9dOgRnfY2rR`mSgsH>6u9&(Fs!tyXst!2S-1uyOF5J<_pynzlo}MYo+~P?vZvgw;jqaw-?E`F<DeI;"
        "dNK<%@UJ*H7p~|zq%m(S",
    ),
    ("beside", (24, 1), "B|N}3cC;|GskqCu-#9F_zO@a!g|)gkpt%}2H@RQCi8T*454dSNp|-#{jx&_FkTL"),
    ("missing", (1, 3), "00000008x{kg``V"),
    (
        "company",
        (36, 24),
        "lCpKJjwT<fw5eY%db0(rXSThxV=R8J;WUdf{g&G#&oh!QQ?I2p3@~%1Vm7xW0k+FCNwVxMg|)u6$T1}?zpkjYc&Vr+^`{CmQlj3f"
        "WHrU1UoVcaiM0%`Yc>uqwKPL9hBUvmS1=%~9;dxE-YFm=fV1Z{?=c;<I4s7pXf8x1<F1f095X1XDXn<3sx<Ae9;@rOPBdh&`>nXN"
        "(j|MX*{&M4GcyXS;IMVMg|1Ji4z-#ofU(N4PcA98>oTe`Av7wmMzl4we>giaIj$u%W-$sbIjo|uTC|z66SRFMuO*wakf^Sp-mDWX"
        "UNqyi5HL+N@HOWy$uDOwKcUN$5U%DWJu`tOiYO_iKQ&k}MkFdUmoj3s&N4SKwXS9`+OXXxzq0JM0Xb^04K&p^iL6?!4JrP!h&fTN"
        "U@O<M-?ULODyc!Zl(tc%Ni(~qJ1xi|bF`JTF0_}SVYg(le==DzsJ9KX2(PiLzqGHjHMZa=KsE$8E42DDX*8!a-WFP{OE1H!1F1@|"
        "rK*`FQL!_zIW)r`3aA(|MKClh@G}st8Zlh5Gq>U~E32fju(et+KQ^1IYPozgTPJ<BYdP7rkh55-5H$p~wx%GoMKqEryrrMC%`y=+"
        "H8621nX%p|i>iO7!YfLwpS69XP&Tb6TQn{)wlLeW6Es6MWU;{{3oMT`oGvA#fUzq$Y^x<Ht))RX1vbJq7BW<{BBq}yKe4ql=r-Ih"
        "DK`c*9wwzSp`u+e!!_Ns+O^uEE3pc--7ar56|)v8mnw&_*ev3ueI_v;$ut5nzAQ{MJu#RyI5_mK2(+H7Og4TmcQdl3F0IzDm8dYO"
        "6|^n0&$6#HX0T^6`mrslC?#_;kE`b`yRhOXhA`+j>8yO7+O$(FvNkR=P^d*TDy4rhbgSVo@Sii2VJP;reJEtC7&L4#5in_}L?u=)"
        "*R*yqps|6qxU><g>MkWXEHt+^K{BeIS~$L@Ei*x^#HWC^05`KYV=6?Tc`~ZBUMtVExw3M!PqcwES+5K*X|p%7FsuHrJGJJs%(h3c"
        "88!DPKef`ZvbD*!(=O~bxiCsHA1uGHV6r7PeKcB<-!+UhXu9jO{i!Fdo2qWGR53m<-8MNl3%T(l(<Iq4qP3%}nlYHRJvafdZ#Jhc"
        "9WWX-oS;81x-zJ-sVfyWS~wUt8?8H>$2wKGnzmH1u`4h&elZWT$*(xJ47G<hohUspUb7lBv$BUWFRbS>H7V7y=CJpo_cU2FRT-qL"
        "m9ud$v^0A!8L~^FN-zdBKe&A`T`F$4BeYE}sj?0-<}&vzZLfc|5HY-@EVClCMK27k!z&&v3^0hgaWuZH*DxitVky8gekal$le3R8"
        "_%Tg4KDPR?o3$}6bu{=iJ+vCNM=(b=At}ByeK1I`z$9ff)3m;+@+=3h8?w%uB&3ZncQt`50<l-BpRM09f~{mU)Ujo-BeyUu-!Ut<"
        "y(Mh4S2C$6nXsC#FtIHxv@~QjEG|p4VXzXoX*5bR6}C>bjWr0a5INJV$fzYMvOAKoXEhZskGN^MSF_NwS2RMhDYc`j$F{(zS}^Y{"
        "9IFEso~_a^O)`WvGb=E(j<<0x60WDXi#2$!<hMe!G%n6Dd>7m>@-Z(s*g9OcTPt0(MY-lQRXNTnr>o|(+`O{395?5-vM%$y=&=*D"
        "2_%^`&$UY^Ew;<E^0W1~lc=&YJsD1}STlww#<eCkZLJ8ZU@1B-b1vF0#W7GSwXL+Ze>K^$Vl+jj2{q%b<+7qF+$;MuY%~fr^)Lgp"
        "WV)B4bu+;+k+lZ64kL@W5;c!EsI190kS=Yq0=#H5zZO`m`M3U}n>hclPcLP)KDCdsOt%pt+AVjsl{CP)2{hoYv9w^QgsliRBs3{B"
        "@GZ-=9I4PS^tuAA@G)97xG^8CW3-*J5Va*VT(O0zi?vj<<TeJgjWWfM=&b~@3ptsxO*UCEg|z#pbEwidwK)v1qqEv41F(IoOsW+)"
        "$0#DQ$TQb6s=NF&dbc&N9WZw=-!nk5oipjK$u|DBR5Y(Qs;DhAdnwSettI*}f-zw<8?f0m0x|Kbld=OfZYugNx-?)f*|sb=eyEx<"
        "khDKG7rA~pk~qh%UNER6OfQ5oWHwPXTQsDxLa%x_7Bu3mRk3ukZZ;gO=&>EGQ?#V2ld$72$gd%?$1d+Tnltk%;WDl<_^#$8g(>qe"
        "mAr?xs5TLu2ez`c+By@o7&sn1B`iBSd^uyejW}Jlnme62B&5H#{W$tEXtgFXdNJ;+gEF(K9j${ZKr?A99yNzFY_AD3Z!~=(KQG}Z"
        "_b`+&j4gCADlnBT8Le0=",
    ),
    ("company", (24, 1), "s<^JI89Az)ow;?ipD}H;YCF$2KsUuUN;h4(Z8r6|TQuo61G6Q$6gW{a@;FjASFZ"),
)
