"""Facts: what is known of a lead, from whom, and how sure.

Decides whether the contact details can be used at all. Takes a ``Lead``; gives a ``Dossier`` through the step ``Verify``: e-mail
syntax and kind, phone validity and place, whether ZIP, state, city and area code agree, whether a program filled in the form.
What cannot be found out stays unknown.
"""

from leadmill.facts.model import Dossier, Fact, FactValue, Outcome, ProviderAnswer, ProviderAsk

__all__ = ["Dossier", "Fact", "FactValue", "Outcome", "ProviderAnswer", "ProviderAsk"]
