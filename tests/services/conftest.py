"""Properties are held by examples, not by the clock: these tests wait for disks."""

from hypothesis import settings

settings.register_profile("disks", deadline=None)
settings.load_profile("disks")
