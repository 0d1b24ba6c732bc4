"""Says what the Census says of the people of a ZIP, from a file of the operator's.

Found by the entry point ``demography`` of ``leadmill.facts``. No maintained package carries the figures, and none are
made up here: the operator brings a CSV made from the American Community Survey's 5-year estimates by ZIP Code
Tabulation Area (``docs/enrichment.md`` names the tables). A ZCTA is nearly, not exactly, a ZIP. What the Census
withholds is unknown.
"""

from collections.abc import Mapping

from leadmill_plugins.providers.sheet import Kind, Sheet, read_sheet

COLUMNS: dict[str, Kind] = {
    "population": "number",
    "households": "number",
    "median_age": "number",
    "median_household_income": "number",
    "per_capita_income": "number",
    "median_home_value": "number",
    "median_gross_rent": "number",
    "owner_share": "number",
    "bachelor_share": "number",
    "poverty_share": "number",
    "broadband_share": "number",
    "vintage": "text",
}
"""The columns there may be besides ``zcta``. Shares are from 0 to 100, amounts in whole dollars, ``vintage`` the
years of the survey, such as 2019-2023."""


class DemographyProviders:
    """The plug-in: takes the file."""

    name = "demography"

    def make(self, name: str, options: Mapping[str, object]) -> Sheet:
        """``file`` and ``confidence``. Raises BadInput ``config.provider.malformed`` with the line."""
        return read_sheet(
            name, options, topic="demography", need="zip", head=("zcta", "zip"), prefix="area", known=COLUMNS
        )


providers = DemographyProviders()
