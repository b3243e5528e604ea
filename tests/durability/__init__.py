"""Real processes, real signals, at random moments: nothing that was accepted or shown is lost."""
