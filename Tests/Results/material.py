"""What the scripts of this folder share: running the program, evaluating, writing tables into documents."""
import argparse
import json
import os
import statistics
import subprocess
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_DOCUMENTS = Path(__file__).resolve().parent.parent.parent / "docs"
DOCUMENT = _DOCUMENTS / "results.md"
PERFORMANCE = _DOCUMENTS / "performance.md"


def arguments(description):
    """The arguments of a script that keeps the figures of cells; its text describes them."""
    parser = argparse.ArgumentParser(description=description)
    for name in ("surgeon", "material", "cache"):
        parser.add_argument(name, metavar=name.upper())
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    return parser


def training_arguments(description):
    """The same of a script that trains cells from several seeds."""
    parser = arguments(description)
    parser.add_argument("seeds", type=int, nargs="*", default=[0, 1, 2], metavar="SEED")
    return parser.parse_args()


@dataclass
class Cost:
    """What one command took."""

    seconds: float
    processor_seconds: float  # of all threads; other work on the machine hardly changes it
    peak_bytes: int  # resident


class Program:
    """The program, the folder with `models` and `data`, and the threads of a command (all cores for none)."""

    def __init__(self, path, material, threads=None):
        self.path, self.material = path, Path(material)
        self.always = ["--quiet", *(["--threads", str(threads)] if threads else [])]

    def measured(self, *arguments):
        """Standard output of a command, and what it took."""
        start = time.monotonic()
        command = [self.path, *map(str, arguments), *self.always]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        output = process.stdout.read()
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise subprocess.CalledProcessError(process.returncode, command)
        seconds = time.monotonic() - start
        return output, Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)

    def run(self, *arguments):
        return self.measured(*arguments)[0]

    def model(self, name):
        return self.material / "models" / name

    def tokens(self, name, text):
        """The windows of a text: `calibration`, `test` or `second`."""
        size = "64x256" if text == "calibration" else "200x256"
        return self.material / f"data/{name}-{text}-{size}.safetensors"

    def perplexity(self, model, name, text):
        report = self.run("evaluate", model, "--tokens", self.tokens(name, text), "--json")
        return json.loads(report)["perplexity"]


class Figures(dict):
    """What is known of cells, by tuples that name them, and the file that keeps it."""

    def __init__(self, path):
        super().__init__()
        self.path, self.writing = path, threading.Lock()
        if os.path.exists(path):
            for line in open(path):
                entry = json.loads(line)
                self[tuple(entry["cell"])] = entry["figures"]

    def measure(self, cells, measure, jobs):
        """Calls `measure`, which saves what it finds, with each cell that is not known; `jobs` at a time."""
        missing = [cell for cell in dict.fromkeys(cells) if cell not in self]
        with ThreadPoolExecutor(jobs) as pool:
            futures = [pool.submit(measure, cell) for cell in missing]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def all(self, cells, name):
        """The figures of that name that are known."""
        return [self[cell][name] for cell in cells if cell in self]

    def spread(self, cells, name, digits):
        """The median of the figures of that name that are known, and half their range if there are several."""
        found = self.all(cells, name)
        if not found:
            return "–"
        middle = f"{statistics.median(found):.{digits}f}"
        return middle if len(found) == 1 else f"{middle} ±{(max(found) - min(found)) / 2:.{digits}f}"

    def save(self, cell, figures):
        with self.writing, open(self.path, "a") as file:
            self[cell] = figures
            file.write(json.dumps({"cell": cell, "figures": figures}) + "\n")


class Once:
    """Files and folders that several cells start from: the first that asks makes them, others wait."""

    def __init__(self):
        self.making = defaultdict(threading.Lock)

    def make(self, path, making):
        """Calls `making` if nothing is at `path`, and returns what it does; otherwise None."""
        with self.making[path]:
            return None if os.path.exists(path) else making()


def write_tables(tables, file=DOCUMENT):
    """Replaces what stands in a document between the markers of each of `tables`."""
    document = file.read_text()  # Only now: tables take their time.
    for marker, lines in tables.items():
        begin, end = f"<!-- {marker}: begin -->", f"<!-- {marker}: end -->"
        before, rest = document.split(begin)
        document = before + begin + "\n" + "\n".join(lines) + "\n" + end + rest.split(end)[1]
    file.write_text(document)


def rows_of(marker, file=DOCUMENT):
    """The rows of the table between the markers in a document, by the names of its columns."""
    lines = file.read_text().split(f"<!-- {marker}: begin -->")[1].split("<!--")[0].strip().splitlines()
    columns, _, *rows = [[text.strip() for text in line.strip("| ").split("|")] for line in lines]
    return [dict(zip(columns, row)) for row in rows]


def table(columns, rows):
    """The lines of a Markdown table."""
    return ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns),
            *("| " + " | ".join(row) + " |" for row in rows)]
