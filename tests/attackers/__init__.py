"""Who wants what is not theirs: strangers, evil pages, evil model servers, thieves."""
