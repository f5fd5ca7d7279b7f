"""Runs a map server of Numaflow's SDK that writes each value back, on the socket MAP_SOCKET.

python server.py sync|async
"""

import os
import sys

from pynumaflow.mapper import Datum, MapAsyncServer, MapServer, Message, Messages


def echo(keys: list[str], datum: Datum) -> Messages:
    return Messages(Message(datum.value, keys=keys))


async def echo_async(keys: list[str], datum: Datum) -> Messages:
    return Messages(Message(datum.value, keys=keys))


if __name__ == "__main__":
    socket = os.environ["MAP_SOCKET"]
    places = {"sock_path": socket, "server_info_file": socket + ".info"}
    if sys.argv[1] == "sync":
        MapServer(echo, **places).start()
    else:
        MapAsyncServer(echo_async, **places).start()
