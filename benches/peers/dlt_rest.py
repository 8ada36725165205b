"""The program that `cargo bench -- pull` is compared with: dlt reads the same simulated portal into DuckDB, merged by key.

    motcua simulate --listen 127.0.0.1:8687 --dossiers 50000 --seed 7 --exports /tmp/bcci &
    python3 -m venv venv && venv/bin/pip install 'dlt[duckdb]'
    venv/bin/python benches/peers/dlt_rest.py http://127.0.0.1:8687

It reads every accepted dossier once. Prints the number of records, the CPU-seconds of this process and its children, and the
peak memory.
"""

import os
import resource
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import json

import dlt
from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator
from dlt.sources.rest_api import rest_api_source

TOKEN_PATH = "/auth/realms/digo/protocol/openid-connect/token"


def token(url: str) -> str:
    form = urllib.parse.urlencode(
        {"grant_type": "client_credentials", "client_id": "motcua-demo", "client_secret": "simulated-secret"}
    )
    with urllib.request.urlopen(url + TOKEN_PATH, form.encode()) as reply:
        return json.load(reply)["access_token"]


def cpu_secs() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def main() -> None:
    url = sys.argv[1]
    source = rest_api_source(
        {
            "client": {"base_url": url, "auth": {"type": "bearer", "token": token(url)}},
            "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
            "resources": [
                {
                    "name": "dossiers",
                    "max_table_nesting": 0,
                    "endpoint": {
                        "path": "pa/dossier/search",
                        "params": {
                            "spec": "slice",
                            "size": 1000,
                            "accepted-from": "2020-01-01T00:00:00.000+0700",
                            "accepted-to": "2027-01-01T00:00:00.000+0700",
                        },
                        "data_selector": "content",
                        "paginator": PageNumberPaginator(
                            base_page=0, page_param="page", total_path=None, stop_after_empty_page=True
                        ),
                    },
                }
            ],
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DLT_DATA_DIR"] = folder
        pipeline = dlt.pipeline(
            "peer",
            destination=dlt.destinations.duckdb(os.path.join(folder, "peer.duckdb")),
            dataset_name="statistics",
            pipelines_dir=folder,
        )
        before, started = cpu_secs(), time.monotonic()
        pipeline.run(source)
        spent, wall = cpu_secs() - before, time.monotonic() - started
        with pipeline.sql_client() as client:
            rows = client.execute_sql("SELECT COUNT(*) FROM dossiers")[0][0]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"dlt {dlt.__version__}: {rows} records; {spent:.2f} CPU-s, {wall:.2f} s; {rows / spent:.0f} records per CPU-s; peak {peak} MiB")


main()
