"""The model that is built in: llama.cpp in a child process."""
