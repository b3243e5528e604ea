"""How hard a test tries: a little at each change, much before a release (`make campaign`)."""

import os

IS_CAMPAIGN = "CAMPAIGN" in os.environ


def effort(usual: int, campaign: int) -> int:
    return campaign if IS_CAMPAIGN else usual
