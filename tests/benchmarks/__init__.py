"""`make bench`: ratios within one run, against a client that asks the model server directly."""
