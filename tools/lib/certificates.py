"""Certificates for one run, made with the openssl command."""

import os
import ssl
import subprocess


class Authority:
    """An authority in a folder, and whom it vouches for."""

    def __init__(self, folder, name="authority"):
        self.folder = folder
        self.certificate = os.path.join(folder, f"{name}.crt")
        self.key = os.path.join(folder, f"{name}.key")
        openssl("req", "-x509", "-days", "2", "-subj", f"/CN={name}", "-out", self.certificate, *new_key(self.key))

    def issue(self, name, days=2):
        """Paths of the certificate and its key."""
        certificate, key, request, extensions = (
            os.path.join(self.folder, f"{name}.{ending}") for ending in ("crt", "key", "csr", "ext")
        )
        with open(extensions, "w", encoding="ascii") as file:
            file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        openssl("req", "-new", "-subj", f"/CN={name}", "-out", request, *new_key(key))
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                "-days", str(days), "-extfile", extensions, "-out", certificate)  # fmt: skip
        return certificate, key

    def serve_arguments(self, name):
        certificate, key = self.issue(name)
        return ["--set", f"tls.certificate={certificate}", "--set", f"tls.key={key}"]

    def context(self):
        """For clients of Python."""
        return ssl.create_default_context(cafile=self.certificate)


def new_key(path):
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path]


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, check=False, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
