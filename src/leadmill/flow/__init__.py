"""Flow: the walk itself, above all rooms.

The pipeline names the stations in order; the runner walks leads through them and commits; reactions say what follows
from news; replay decides again; biography tells. Interfaces call this package; no package below knows it.
"""
