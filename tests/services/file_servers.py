"""Serves a folder over WebDAV, FTP or S3 on loopback, for tests. Runs until its standard input ends.

    file_servers.py webdav FOLDER PORT USER PASSWORD
    file_servers.py ftp FOLDER PORT USER PASSWORD [plain-list] [cut=BYTES] [cuts=COUNT]
    file_servers.py s3 FOLDER PORT

Prints `ready` once it answers. The S3 server prints its access key and secret key before that; it has a bucket `lists`, and
takes lines: `put NAME` copies a file of the folder to the key `in/NAME`, `remove NAME` removes it.
"""

import os
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode


def wait_for_the_end():
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)


def webdav(folder, port, user, password):
    from cheroot import wsgi
    from wsgidav.wsgidav_app import WsgiDAVApp

    app = WsgiDAVApp(
        {
            "provider_mapping": {"/dav": {"root": folder, "readonly": True}},
            "simple_dc": {"user_mapping": {"*": {user: {"password": password}}}},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "property_manager": True,
            "lock_storage": True,
            "logging": {"enable": False},
            "verbose": 0,
        }
    )
    server = wsgi.Server(("127.0.0.1", port), app)
    server.prepare()
    threading.Thread(target=server.serve, daemon=True).start()
    wait_for_the_end()


def ftp(folder, port, user, password, *options):
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import DTPHandler, FTPHandler
    from pyftpdlib.servers import ThreadedFTPServer

    values = dict(option.split("=") for option in options if "=" in option)
    cuts = [int(values.get("cuts", 0))]

    class Cutting(DTPHandler):
        """Ends the first transfers of files in their middle, as a server does that is stopped."""

        ac_out_buffer_size = 4096

        def send(self, data):
            sent = super().send(data)
            if cuts[0] > 0 and self.cmd == "RETR" and self.tot_bytes_sent >= int(values["cut"]):
                cuts[0] -= 1
                self.cmd_channel.close()
                self.close()
            return sent

    class Handler(FTPHandler):
        dtp_handler = Cutting
        authorizer = DummyAuthorizer()
        use_sendfile = False
        auth_failed_timeout = 0

    if "plain-list" in options:
        Handler.proto_cmds = {name: of for name, of in FTPHandler.proto_cmds.items() if name not in ("MLSD", "MLST")}
    Handler.authorizer.add_user(user, password, folder, perm="elr")
    server = ThreadedFTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wait_for_the_end()


def s3(folder, port):
    # After these calls every call must be signed with a key that the server knows.
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"
    import logging

    import boto3
    from botocore.auth import S3SigV4Auth
    from moto.iam import access_control
    from moto.server import ThreadedMotoServer

    class AsSent(S3SigV4Auth):
        """Signs with the digest that the request states: moto signs with one of its own, also where the client states none."""

        def payload(self, request):
            return self.stated

    def auth_of(request, credentials):
        auth = AsSent(credentials, request._service, request._region)
        headers = {name.lower(): value for name, value in request._headers.items()}
        auth.stated = headers["x-amz-content-sha256"]
        # moto takes the address as it was sent, and not in the form that is signed.
        path, _, query = request._path.partition("?")
        query = urlencode(parse_qsl(query, keep_blank_values=True), quote_via=quote, safe="~")
        request._path = quote(unquote(path), safe="/~") + (f"?{query}" if query else "")
        return auth

    access_control.S3IAMRequest._create_auth = auth_of

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False).start()
    common = {"endpoint_url": f"http://127.0.0.1:{port}", "region_name": "us-east-1"}
    first = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    iam = boto3.client("iam", **common, **first)
    iam.create_user(UserName="clerk")
    key = iam.create_access_key(UserName="clerk")["AccessKey"]
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    iam.put_user_policy(UserName="clerk", PolicyName="all", PolicyDocument=policy)
    boto3.client("s3", **common, **first).create_bucket(Bucket="lists")
    mine = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    client = boto3.client("s3", **common, **mine)
    print(key["AccessKeyId"], key["SecretAccessKey"], flush=True)
    print("ready", flush=True)
    for line in sys.stdin:
        verb, name = line.rstrip("\n").split(" ", 1)
        if verb == "put":
            client.put_object(Bucket="lists", Key=f"in/{name}", Body=(Path(folder) / name).read_bytes())
        else:
            client.delete_object(Bucket="lists", Key=f"in/{name}")
        print("done", flush=True)
    os._exit(0)


if __name__ == "__main__":
    kind, folder, port, *rest = sys.argv[1:]
    {"webdav": webdav, "ftp": ftp, "s3": s3}[kind](folder, int(port), *rest)
