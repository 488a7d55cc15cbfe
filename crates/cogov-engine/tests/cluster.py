"""A PostgreSQL server of one's own: in a temporary folder, on a socket there and nowhere else."""

import os
import pathlib
import pwd
import subprocess
import tempfile


class Cluster:
    """Runs while the context lasts; `host` is what clients connect to, as the user `USER`."""

    USER = "judge"

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="cogov-postgres-")
        self.host = self.folder.name
        self.bin = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.user = None
        # The server refuses to run as root.
        if os.getuid() == 0:
            found = pwd.getpwnam("postgres")
            os.chown(self.host, found.pw_uid, found.pw_gid)
            self.user = "postgres"
        self.run("initdb", "-D", "data", "-U", self.USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        options = f"-c listen_addresses= -c unix_socket_directories={self.host} -c fsync=off"
        self.run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")
        return self

    def run(self, program, *arguments):
        subprocess.run([self.bin / program, *arguments], cwd=self.host, user=self.user, check=True,
                       stdout=subprocess.DEVNULL)

    def __exit__(self, *_):
        self.run("pg_ctl", "-D", "data", "-w", "-m", "immediate", "stop")
        self.folder.cleanup()
