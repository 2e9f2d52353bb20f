"""How long it takes to sample 300 processes by turns: ``python tests/bench/bench_sampling.py``."""

import statistics
import subprocess
import time

from transcoder_tui.host.sampling import ProcessSampler

PROCESSES = 300
ROUNDS = 50


def main() -> None:
    processes = [subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL) for _ in range(PROCESSES)]
    try:
        pids = [process.pid for process in processes]
        sampler = ProcessSampler()
        rounds = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            sampler.sample(pids)
            rounds.append((time.perf_counter() - begun) * 1000)
        times = f"median {statistics.median(rounds):.2f} ms, worst {max(rounds):.2f} ms"
        print(f"{PROCESSES} processes, a fifth of them each time: {times}")
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


if __name__ == "__main__":
    main()
