"""Given names: which exist and whose they are, and which are forms of one name.

Pure. Who bears a name comes from the US Census Bureau's tables of 1990 (package ``names``). That two names are one is
taken from a short list of what Americans really call each other; the long list of ``linkage`` also holds that Bill is
Robert and Ann Rose, which weighs little there but would make one person of two brothers here.
"""

from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

import names

from leadmill.linkage import canonical_names

Sex = Literal["", "f", "m", "any"]
"""Whose a name is: ``""`` for one that is not listed, ``any`` for one that women and men bear alike."""

_MOSTLY = 4.0
"""How many times as often one sex bears a name that is taken for its own."""
_COMMON = 0.1
"""Percent of a sex from which a name is given in its own right, whatever else it may be short for."""
_REAL = 0.01
"""Percent of a sex below which a listed name may as well be another's slip: Arie of Marie."""

_FORMS = """
abigail abby gail; abraham abe; albert al bert; alexander alex al sandy xander; alexandra alex sandra sandy; alfred al
fred; alice allie; allen alan allan al; amanda mandy; andrew andy drew; angela angie; anna ann anne annie; ann anne
annie; anthony tony; antonio tony; arnold arnie; arthur art; barbara barb barbie babs; benjamin ben benny; bernard
bernie; beverly bev; bradley brad; brandon bran; calvin cal; cameron cam; carl karl; carolyn carol carrie; caroline
carol carrie; catherine katherine kathryn katharine cathy kathy kate katie kat kay; katherine cathy kathy kate katie
kat kay; kathryn cathy kathy kate katie kat; charles charlie chuck chas charley; charlotte charlie lottie; christina
chris tina chrissy christy; christine chris chrissy christy tina; christopher chris kit; clifford cliff; clinton
clint; cynthia cindy; daniel dan danny; david dave davey; deborah debra deb debbie; debra deb debbie; dennis denny;
diana diane di; dolores lola; donald don donny donnie; dorothy dot dottie dolly; douglas doug; edward ed eddie ted ned
teddy; edwin ed eddie; eleanor ellie nell nora; elizabeth liz lizzie beth betty betsy eliza libby bess; emily em emmy;
eugene gene; evelyn evie; florence flo; frances fran frannie; francis frank; franklin frank; frederick fred freddy
rick fritz; gabriel gabe; gerald jerry gerry; geraldine gerry; gilbert gil bert; gloria glo; gregory greg; gwendolyn
gwen; harold hal harry; harriet hattie; henry hank harry; herbert herb bert; howard howie; isabella bella izzy; jacob
jake; jacqueline jackie; james jim jimmy jimmie jamie jas; janet jan; janice jan; jason jay; jeffrey jeff geoff
jeffery; jennifer jen jenny jenn; jessica jess jessie; joan joanie; joanne jo joann; john jack johnny jon johnnie;
jonathan jon john; joseph joe joey jos; josephine jo josie; joshua josh; joyce joy; judith judy; julia julie; kenneth
ken kenny; kevin kev; kimberly kim; kristin kris kristen; larry lawrence; lawrence larry laurence; leonard len lenny
leo; leroy roy; leslie les; lewis lou louis; lillian lilly lily; linda lindy lin; louis lou; louise lou; lucille lucy;
lynn lin; margaret maggie meg peggy peg marge margie marjorie rita greta; maria marie; marilyn mary; martha marty;
martin marty; marvin marv; mary mae molly polly; matthew matt matty; maureen mo; maxwell max; melissa missy mel lissa;
melvin mel; michael mike mikey mick micky mickey mitch; michelle shelly; mildred millie; miriam mimi; mitchell mitch;
nancy nan; natalie nat; nathan nate nat; nathaniel nate nat nathan; nicholas nick nicky; nicole nikki nicky; norman
norm; oliver ollie; pamela pam; patricia pat patty tricia trish patti; patrick pat paddy rick; peter pete; phillip
phil philip; rachel rae; randall randy; raymond ray; rebecca becky becca; reginald reggie; richard rich rick dick
ricky richie rickie; robert bob bobby rob robbie bobbie; roberta bobbie; rodney rod; roger rodge; ronald ron ronnie
ronny; rosemary rose rosie; rose rosie; russell russ rusty; samantha sam sammy; samuel sam sammy; sandra sandy; sarah
sara sally sadie; sharon shari; shirley shirl; stanley stan; stephanie steph stephie; stephen steven steve stevie;
steven steve stevie; stuart stu stewart; susan sue susie suzie suzy susanna suzanne; suzanne sue susie; sylvester sly;
terence terry terrence; teresa theresa terry tess tessa; theresa terry tess tessa; theodore ted teddy theo; thomas tom
tommy; timothy tim timmy; tracy trace; valerie val; vanessa nessa; veronica ronnie; victor vic; victoria vicky tori
vickie vicki; vincent vince vinny; virginia ginny ginger; vivian viv; walter walt wally; warren ren; wendy wen; wesley
wes; william bill billy will willie liam willy; yvonne vonnie; zachary zach zack; francisco paco pancho frank; jose
pepe joe; guadalupe lupe; ignacio nacho; jesus chuy; manuel manny; ricardo rick; roberto bob beto robert; alejandro
alex; fernando nando; eduardo eddie ed; miguel mike; juan john; carlos charlie; antonia toni; consuelo chelo; dolores
lola; mercedes mercy; rosario charo
"""


@cache
def _listed() -> dict[str, frozenset[str]]:
    """By name, the names that it may be listed under."""
    found: dict[str, set[str]] = {}
    for group in _FORMS.split(";"):
        full, *forms = group.split()
        for form in (full, *forms):
            found.setdefault(form, set()).add(full)
    return {form: frozenset(fulls) for form, fulls in found.items()}


@cache
def _borne() -> dict[str, tuple[float, float]]:
    women, men = _shares("dist.female.first"), _shares("dist.male.first")
    return {name: (women.get(name, 0.0), men.get(name, 0.0)) for name in {*women, *men}}


def _shares(table: str) -> dict[str, float]:
    lines = Path(names.full_path(table)).read_text("ascii").splitlines()
    return {line.split()[0].lower(): float(line.split()[1]) for line in lines}


@lru_cache(16_384)
def sex_of(name: str) -> Sex:
    """Whose name it is, in plain form."""
    found = _borne().get(name)
    if found is None:
        return ""
    hers, his = found
    return "f" if hers > _MOSTLY * his else "m" if his > _MOSTLY * hers else "any"


def is_real(name: str) -> bool:
    """Whether a name is borne often enough to be nobody's slip: one of a rarer spelling may be."""
    return max(_borne().get(name, (0.0, 0.0))) >= _REAL


def may_be_of_one_sex(a: str, b: str) -> bool:
    """Whether no name is a woman's and the other a man's."""
    return {sex_of(a), sex_of(b)} != {"f", "m"}


def full_forms(name: str) -> frozenset[str]:
    """The full names that a name may stand for, itself among them where it is one."""
    return _listed().get(name) or canonical_names(name)


def are_forms(a: str, b: str) -> bool:
    """Whether two names are surely forms of one: one is the other's full name, or both are short for one. Of names that
    are not in the short list, those that the long one joins, unless both are common by themselves or of two sexes."""
    ours, theirs = _listed().get(a, _NONE), _listed().get(b, _NONE)
    if ours and theirs:
        return a in theirs or b in ours or (a not in ours and b not in theirs and not ours.isdisjoint(theirs))
    return may_be_forms(a, b) and may_be_of_one_sex(a, b) and not (_is_common(a) and _is_common(b))


def may_be_forms(a: str, b: str) -> bool:
    """Whether the long list joins two names: Robert and Bill."""
    return a in canonical_names(b) or b in canonical_names(a)


_NONE: frozenset[str] = frozenset()


def _is_common(name: str) -> bool:
    return max(_borne().get(name, (0.0, 0.0))) >= _COMMON
