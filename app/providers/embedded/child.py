"""The child process: llama.cpp's own OpenAI endpoint on a Unix socket, until its stdin closes.

Started by path, so it imports nothing of the app. The first line of stdin is its configuration. With `--check` it only
loads llama.cpp, which ends it where that cannot be.
"""

import json
import os
import sys


def check() -> None:
    import xllamacpp

    assert xllamacpp.Server
    os._exit(0)


def main() -> None:
    configuration = json.loads(sys.stdin.buffer.readline())
    ready = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # llama.cpp prints where it likes; stdout is for one line of ours
    os.nice(5)
    os.umask(0o077)

    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = configuration["model"]
    params.model_alias = {configuration["name"]}
    params.hostnames = [configuration["socket"]]  # a host that ends in .sock is a Unix socket
    params.api_keys = [configuration["key"]]
    params.n_ctx, params.n_parallel = configuration["n_ctx"], configuration["slots"]
    # One core stays free: with a thread per core llama.cpp's spinning starves everybody, itself too.
    threads = max(1, (os.cpu_count() or 2) - 1)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = 0  # the default keeps up to 8 GiB of prompts
    params.sleep_idle_seconds = 600
    params.verbosity = 1  # warnings; more would write prompts into the log
    params.ui = params.endpoint_props = params.endpoint_slots = False
    server = xllamacpp.Server(params)
    print(json.dumps({"ready": server.listening_address}), file=ready, flush=True)
    sys.stdin.buffer.read()  # the parent is gone: end of file
    os._exit(0)


if __name__ == "__main__":
    check() if "--check" in sys.argv else main()
