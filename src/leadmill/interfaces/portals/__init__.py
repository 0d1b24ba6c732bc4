"""Pages for people outside the house: the hosted forms. They work without a script, on any browser."""
