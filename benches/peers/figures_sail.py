"""Times Sail, an engine that speaks Spark's SQL, on the script of all figures, over the tables that
`cargo bench -- figures DOSSIERS FOLDER` left.

    python3 -m venv venv && venv/bin/pip install pysail pyspark-client
    venv/bin/python benches/peers/figures_sail.py FOLDER [local|local-cluster]

`local-cluster` plans and runs the query as a cluster does, with a driver and workers that exchange data by stages, in one
process. Prints the figures that have something to count, the CPU-seconds and the wall time of the script, and the peak memory
above that of Python with the server started.
"""

import os
import resource
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(folder: str, mode: str = "local") -> None:
    os.environ["SAIL_MODE"] = mode
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    script = (Path(folder) / "figures-spark.sql").read_text(encoding="utf-8")
    # The texts of a script have no line breaks.
    statements = [statement.strip() for statement in script.split(";\n") if statement.strip()]
    statements[-1] = statements[-1].removesuffix(";")
    with tempfile.TemporaryDirectory() as warehouse:
        # The server writes tables to the folder that it is started in.
        os.chdir(warehouse)
        server = SparkConnectServer()
        server.start()
        spark = SparkSession.builder.remote(f"sc://localhost:{server.listening_address[1]}").getOrCreate()
        cpu, start, above = cpu_seconds(), time.monotonic(), peak_mib()
        for statement in statements[:-1]:
            spark.sql(statement)
        counted = spark.sql(f"SELECT count(*) FROM ({statements[-1]}) AS f WHERE coalesce(denominator, numerator) > 0").collect()[0][0]
        wall, cpu, peak = time.monotonic() - start, cpu_seconds() - cpu, peak_mib() - above
        print(f"Sail {version('pysail')}, {mode}: {counted} figures; {cpu:.2f} CPU-s, {wall:.2f} s; peak {peak:.0f} MiB above start", flush=True)
        # The server waits for its clients when Python ends in the usual way.
        os._exit(0)


main(*sys.argv[1:])
