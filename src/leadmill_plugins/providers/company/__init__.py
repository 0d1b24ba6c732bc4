"""Says which company an e-mail address belongs to, by its domain, from a file of the operator's.

Found by the entry point ``company`` of ``leadmill.facts``. The file is a CSV whose column ``domain`` is looked up;
every other column becomes the fact ``company.`` with its name. Domains at which anybody can have an address do not
belong in it.
"""

from collections.abc import Mapping

from leadmill_plugins.providers.sheet import Sheet, read_sheet


class CompanyProviders:
    """The plug-in: takes the file."""

    name = "company"

    def make(self, name: str, options: Mapping[str, object]) -> Sheet:
        """``file`` and ``confidence``. Raises BadInput ``config.provider.malformed`` with the line."""
        return read_sheet(name, options, topic="company", need="email.domain", head=("domain",), prefix="company")


providers = CompanyProviders()
