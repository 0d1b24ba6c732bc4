"""Translators between the outside and the verbs: web pages, the API, forms, the command line. They decide nothing.

Stands above everything but ``main``. The sub-packages do not know one another; what they share lies in the modules of
this folder.
"""
