"""One suite for the engine, the event log and the store, over the three configurations."""
