"""Names and streets, taken apart."""

import pytest

from leadmill.linkage.parts import split_name, split_street


@pytest.mark.parametrize(
    ("whole", "given", "family"),
    [
        ("Ana Lopez", "Ana", "Lopez"),
        ("Lopez Garcia, Ana", "Ana", "Lopez Garcia"),
        ("Ana van Dyke", "Ana", "van Dyke"),
        ("de la Cruz, Maria", "Maria", "de la Cruz"),
        ("Dr. John Smith Jr.", "John", "Smith"),
        ("Smith, Jr.", "", "Smith"),
        ("Herr Jürgen Groß", "Jürgen", "Groß"),
        ("Mary Ann Lee", "Mary Ann", "Lee"),
        ("Prince", "", "Prince"),
        ("", "", ""),
        ("van der", "van", "der"),
    ],
)
def test_a_name_is_taken_apart(whole, given, family):
    assert split_name(whole) == (given, family)


@pytest.mark.parametrize(
    ("whole", "number", "street"),
    [
        ("33 Baldwin Drive", "33", "Baldwin Drive"),
        ("Hauptstraße 12a", "12a", "Hauptstraße"),
        ("12-14 High St", "12-14", "High St"),
        ("221b Baker Street", "221b", "Baker Street"),
        ("C/ Mayor, nº 5", "5", "C/ Mayor"),
        ("Hauptstr. 5 b", "5 b", "Hauptstr."),
        ("5th Avenue", "", "5th Avenue"),
        ("Rose Cottage", "", "Rose Cottage"),
        ("12", "", "12"),
        ("", "", ""),
    ],
)
def test_a_line_of_an_address_is_taken_apart(whole, number, street):
    assert split_street(whole) == (number, street)
