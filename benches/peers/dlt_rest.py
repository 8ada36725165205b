"""The program that `cargo bench -- pull` is compared with: dlt reads the same simulated portal into DuckDB, merged by key.

    motcua simulate --listen 127.0.0.1:8687 --dossiers 50000 --seed 7 --exports /tmp/bcci &
    python3 -m venv venv && venv/bin/pip install 'dlt[duckdb]'
    venv/bin/python benches/peers/dlt_rest.py http://127.0.0.1:8687

It reads every accepted dossier once.
"""

import json
import sys
import urllib.parse
import urllib.request

from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator
from dlt.sources.rest_api import rest_api_source
from dlt_measured import run_measured

TOKEN_PATH = "/auth/realms/digo/protocol/openid-connect/token"


def token(url: str) -> str:
    form = urllib.parse.urlencode(
        {"grant_type": "client_credentials", "client_id": "motcua-demo", "client_secret": "simulated-secret"}
    )
    with urllib.request.urlopen(url + TOKEN_PATH, form.encode()) as reply:
        return json.load(reply)["access_token"]


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
    run_measured(source, "dossiers")


main()
