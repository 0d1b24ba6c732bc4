"""A lead's rating as programs read it, with ``GET /v1/leads/{lead_id}``."""

from msgspec import Struct

from leadmill.scoring import Opinions, Score


class ContributionOut(Struct, frozen=True):
    """What one rule, or one column of a model, gave or took, in words; never the person's value."""

    rule: str
    points: int
    says: str


class OpinionOut(Struct, frozen=True, kw_only=True):
    """What a model said: the chance of what it ``foresees``. ``points`` is null where it moves none; ``decided`` says
    whether the score is its own, or its chance the one that counts."""

    model_id: str
    digest: str
    state: str
    foresees: str
    probability: float
    points: int | None
    decided: bool


class RatingOut(Struct, frozen=True, kw_only=True):
    """Why a lead has its score: what gave how many points from ``start`` on, the strongest first, where it goes by them
    (``path``), the ``card``'s digest, what models said, and what spoke against it most, in words."""

    points: int
    tier: str
    path: str
    start: int
    card: str
    contributions: list[ContributionOut]
    models: list[OpinionOut]
    adverse: list[str]


def rating_out(score: Score, opinions: Opinions | None) -> RatingOut:
    """A rating as it is answered; of a card, what spoke against the lead are the rules that took points."""
    told = opinions or Opinions([])
    given = sorted(score.contributions, key=lambda each: -abs(each.points))
    adverse = told.said[0].adverse if told.decided and told.said else []
    models = [
        OpinionOut(
            model_id=each.model,
            digest=each.digest,
            state=each.state,
            foresees="conversion",
            probability=each.probability,
            points=each.points,
            decided=told.decided and place == 0,
        )
        for place, each in enumerate(told.said)
    ] + [
        OpinionOut(
            model_id=each.model,
            digest=each.digest,
            state=each.state,
            foresees=each.foresees,
            probability=each.probability,
            points=None,
            decided=each.counts,
        )
        for each in told.foreseen
    ]
    return RatingOut(
        points=score.points,
        tier=score.band,
        path=score.path,
        start=score.start,
        card=score.card,
        contributions=[ContributionOut(each.rule, each.points, each.says) for each in given],
        models=models,
        adverse=adverse or [each.says for each in given if each.points < 0][:4],
    )
