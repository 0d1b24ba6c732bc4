"""What a hosted form is: its questions, what is agreed to, how who comes back is asked.

Read by everybody who shows a form or takes its answers, through the package's door; written by ``capture/forms.py``.
"""

from typing import Literal

from msgspec import Struct


class FormField(Struct, frozen=True, kw_only=True):
    """A question of a form: a field of its vertical, perhaps asked in the form's own words. ``fresh_for`` is for how
    many days an answer is not asked again, None where the form's own says it."""

    field: str
    label: str = ""
    required: bool = False
    hint: str = ""
    fresh_for: int | None = None


class FormStep(Struct, frozen=True, kw_only=True):
    """A page of a form."""

    title: str
    fields: tuple[FormField, ...]


class FormConsent(Struct, frozen=True, kw_only=True):
    """What a person is shown and agrees to: the text, its version, who may contact them and how.

    ``box`` is ``unchecked`` where a box must be ticked, ``none`` where the text stands above the button and pressing
    it agrees.
    """

    version: str
    text: str
    sellers: tuple[str, ...] = ()
    channels: tuple[str, ...] = ("call", "text", "email")
    obtained_by: str = ""
    box: Literal["unchecked", "none"] = "unchecked"


class Progressive(Struct, frozen=True, kw_only=True):
    """How a form asks a person who comes back: not again for ``fresh_for`` days, but for ``always``; of optional
    questions no more than ``ask`` on one page, None for all of them."""

    always: tuple[str, ...] = ()
    ask: int | None = None
    fresh_for: int = 90


class Form(Struct, frozen=True, kw_only=True):
    """A hosted form as published. ``version`` is the digest of its content: another text is another version.
    ``progressive`` is None for a form that asks everybody everything. ``replay`` says whether the visit is recorded:
    not at all (``off``), once a notice stands on the page (``notice``), or only where the person agrees (``ask``).
    ``embed_on`` are the origins (``https://www.acme.example``) whose pages may show it in a frame."""

    id: str
    vertical: str
    source_id: str
    title: str
    steps: tuple[FormStep, ...]
    consent: FormConsent | None = None
    intro: str = ""
    submit: str = "Send"
    thanks: str = "Thank you. We have received your request."
    redirect_url: str | None = None
    accent: str | None = None
    version: str = ""
    progressive: Progressive | None = None
    replay: Literal["off", "notice", "ask"] = "off"
    embed_on: tuple[str, ...] = ()
