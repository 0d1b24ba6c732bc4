"""What people ask for: the answers of one vertical, believable together.

Used by ``traffic``. Most enquiries are worth something, some are not: those who ask have rented roofs, poor credit
and lawyers of their own as often as people do.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from random import Random

from leadmill_demo.places import Place

Answers = dict[str, str | int | bool]
"""Fields of an enquiry by Leadmill's own names."""

_TIMES = ("immediately", "one_to_three_months", "three_to_six_months", "later", "unsure")
_CARS = (
    ("Toyota", "Camry"), ("Toyota", "RAV4"), ("Honda", "Civic"), ("Honda", "CR-V"), ("Ford", "F-150"),
    ("Ford", "Escape"), ("Chevrolet", "Silverado"), ("Nissan", "Altima"), ("Hyundai", "Elantra"), ("Kia", "Sorento"),
    ("Subaru", "Outback"), ("Jeep", "Wrangler"), ("Tesla", "Model 3"), ("Mazda", "CX-5"), ("Volkswagen", "Jetta"),
)  # fmt: skip
_CARRIERS = ("Stonebrook Mutual", "Pioneer Lane", "Great Elk Insurance", "Union Prairie", "Harborline Direct")
"""Invented, like everybody here."""
_UTILITIES = {
    "CA": "Golden Valley Electric",
    "AZ": "Saguaro Power",
    "TX": "Lone Creek Energy",
    "NV": "Silver Basin Power",
    "FL": "Gulf Palm Electric",
}
_STORIES = (
    "I was stopped at a light and a van hit me from behind.",
    "A delivery truck changed lanes into my car on the highway.",
    "I slipped on a wet floor in a supermarket and broke my wrist.",
    "My supervisor cut my hours after I reported a safety problem.",
    "My claim for disability was denied and I do not understand why.",
    "A driver ran a red light. The police came and I went to the hospital.",
)


_HOUSES = ("two storeys", "one storey", "old house", "built in the nineties")


def _pick(rng: Random, odds: dict[str, float]) -> str:
    return rng.choices(list(odds), weights=list(odds.values()))[0]


def _when(rng: Random) -> str:
    return rng.choices(_TIMES, weights=(30, 34, 14, 11, 11))[0]


def _credit(rng: Random) -> str:
    return _pick(rng, {"excellent": 27, "good": 36, "fair": 21, "poor": 11, "unknown": 5})


def _round(rng: Random, low: int, high: int, step: int) -> int:
    return rng.randrange(low, high + step, step)


def mortgage(rng: Random, place: Place, today: date) -> Answers:
    """A home loan."""
    purpose = _pick(rng, {"purchase": 36, "refinance": 28, "cash_out": 20, "home_equity": 13, "reverse": 3})
    value = _round(rng, 160_000, 1_100_000, 5_000)
    loan = round(value * rng.uniform(0.12 if purpose == "home_equity" else 0.42, 0.95), -3)
    answers: Answers = {
        "loan_purpose": purpose,
        "property_value": value,
        "loan_amount": int(loan),
        "ltv": round(100 * loan / value),
        "credit_rating": _credit(rng),
        "property_type": _pick(rng, {"single_family": 70, "condo": 14, "townhouse": 10, "multi_family": 6}),
        "property_use": _pick(rng, {"primary": 84, "second_home": 6, "investment": 10}),
        "military": rng.random() < 0.13,
        "timeframe": _when(rng),
    }
    if purpose == "purchase":
        answers["found_home"] = rng.random() < 0.38
        answers["first_time_buyer"] = rng.random() < 0.45
    else:
        answers["mortgage_balance"] = int(loan * rng.uniform(0.6, 1.0))
    if rng.random() < 0.04:
        answers["bankruptcy"] = rng.choice(("open", "discharged"))
    return answers


def insurance_auto(rng: Random, place: Place, today: date) -> Answers:
    """A quote for a car."""
    make, model = rng.choice(_CARS)
    insured = rng.random() < 0.71
    answers: Answers = {
        "currently_insured": insured,
        "vehicle_year": rng.randint(2004, today.year),
        "vehicle_make": make,
        "vehicle_model": model,
        "vehicle_count": rng.choices((1, 2, 3), weights=(62, 30, 8))[0],
        "coverage_type": _pick(rng, {"state_minimum": 30, "standard": 44, "premium": 26}),
        "licence_status": _pick(rng, {"active": 93, "suspended": 4, "permit": 2, "none": 1}),
        "homeowner": rng.random() < 0.55,
        "marital_status": _pick(rng, {"single": 42, "married": 44, "divorced": 14}),
        "accidents": rng.choices((0, 1, 2), weights=(80, 16, 4))[0],
        "timeframe": _when(rng),
    }
    if insured:
        answers["current_carrier"] = rng.choice(_CARRIERS)
        answers["years_insured"] = rng.randint(0, 14)
    if rng.random() < 0.03:
        answers["dui"] = True
    return answers


def solar(rng: Random, place: Place, today: date) -> Answers:
    """Panels for a roof."""
    return {
        "monthly_bill": int(min(900, max(35, rng.gauss(195, 80)))),
        "homeowner": rng.random() < 0.86,
        "roof_shade": _pick(rng, {"none": 52, "some": 34, "much": 14}),
        "roof_type": _pick(rng, {"asphalt_shingle": 58, "tile": 24, "metal": 8, "flat": 10}),
        "roof_age": rng.randint(0, 32),
        "property_type": _pick(rng, {"single_family": 86, "townhouse": 8, "condo": 3, "mobile_home": 3}),
        "credit_rating": _credit(rng),
        "utility_provider": _UTILITIES.get(place.state, "the city's utility"),
        "battery_interest": rng.random() < 0.41,
        "timeframe": _when(rng),
    }


def legal(rng: Random, place: Place, today: date) -> Answers:
    """Somebody who looks for a lawyer."""
    area = _pick(
        rng,
        {
            "auto_accident": 44, "truck_accident": 7, "personal_injury": 10, "slip_and_fall": 11,
            "workers_compensation": 9, "employment": 8, "social_security": 6, "family": 3, "bankruptcy": 2,
        },
    )  # fmt: skip
    answers: Answers = {
        "practice_area": area,
        "has_attorney": rng.random() < 0.08,
        "description": rng.choice(_STORIES),
        "timeframe": _when(rng),
    }
    if area in ("auto_accident", "truck_accident", "personal_injury", "slip_and_fall", "workers_compensation"):
        answers["incident_date"] = (today - timedelta(days=int(rng.expovariate(1 / 190)))).isoformat()
        answers["incident_state"] = place.state
        answers["injured"] = rng.random() < 0.83
        answers["treated"] = rng.random() < 0.69
        answers["at_fault"] = rng.random() < 0.08
        answers["police_report"] = rng.random() < 0.6
    return answers


def home_services(rng: Random, place: Place, today: date) -> Answers:
    """Work on a home."""
    service = _pick(
        rng,
        {
            "roofing": 20, "windows": 13, "hvac": 18, "bathroom": 12, "kitchen": 7, "plumbing": 10, "siding": 4,
            "gutters": 5, "flooring": 5, "pest_control": 6,
        },
    )  # fmt: skip
    return {
        "service": service,
        "job_kind": _pick(rng, {"replace": 44, "repair": 36, "install": 20}),
        "homeowner": rng.random() < 0.9,
        "property_type": _pick(rng, {"single_family": 80, "townhouse": 10, "condo": 8, "commercial": 2}),
        "budget": _round(rng, 400, 24_000, 200),
        "emergency": service in ("plumbing", "hvac") and rng.random() < 0.2,
        "description": f"{service.replace('_', ' ').capitalize()}, {rng.choice(_HOUSES)}.",
        "timeframe": _when(rng),
    }


def education(rng: Random, place: Place, today: date) -> Answers:
    """Somebody who wants to learn."""
    return {
        "subject": rng.choice(("Nursing", "Business", "Computer science", "Health administration", "Medical coding")),
        "degree_level": _pick(rng, {"certificate": 18, "associate": 26, "bachelor": 36, "master": 20}),
        "education_level": _pick(
            rng, {"high_school": 40, "some_college": 30, "associate": 12, "bachelor": 16, "none": 2}
        ),
        "study_mode": _pick(rng, {"online": 52, "either": 30, "campus": 18}),
        "occupation": _pick(rng, {"working_professional": 55, "student": 18, "unemployed": 19, "other": 8}),
        "graduation_year": rng.randint(1985, today.year),
        "timeframe": _when(rng),
    }


ASK: dict[str, Callable[[Random, Place, date], Answers]] = {
    "mortgage": mortgage,
    "insurance_auto": insurance_auto,
    "solar": solar,
    "legal": legal,
    "home_services": home_services,
    "education": education,
}


def consent_text(sellers: Sequence[str], about: str) -> str:
    """What a page shows beside its box, naming who may get in touch."""
    named = f"{', '.join(sellers[:-1])} and {sellers[-1]}" if len(sellers) > 1 else sellers[0]
    return (
        f"By pressing the button I agree that {named} may call, text and e-mail me about {about} at the number and "
        "address I gave, also with automated means and recorded voices. Consent is not a condition of purchase. "
        "Message and data rates may apply."
    )
