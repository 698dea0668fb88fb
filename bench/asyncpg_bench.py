"""The peer of another kind: asyncpg, which speaks the protocol itself too, in Python and Cython.
Measured as bench/bench.c measures: warm up, run, print "operations wall_seconds cpu_seconds rows checksum".
Only the workloads about connecting; TLS contexts are made once, which is asyncpg's best case.
Usage: asyncpg_bench.py WORKLOAD VARIANT OPERATIONS"""

import asyncio
import os
import resource
import ssl
import sys
import time

import asyncpg

WARM_UP = 5


def options_of(workload):
    options = dict(user="drv", password="pw-drv", database="tusk", port=int(os.environ["TUSK_TEST_PORT"]))
    if workload == "connect-tls/1":
        context = ssl.create_default_context(cafile=os.environ["TUSK_TEST_CA"])
        return dict(options, host=os.environ["TUSK_TEST_HOST"], ssl=context)
    if workload == "connect/1":
        return dict(options, host=os.environ["TUSK_TEST_SOCKDIR"], ssl=False)
    sys.exit(f"bench: {workload}: not for asyncpg")


async def connect(options, n):
    versions = 0
    for _ in range(n):
        connection = await asyncpg.connect(**options)
        version = connection.get_server_version()
        versions += version.major * 10000 + version.minor * 100 + version.micro
        await connection.close()
    return versions


def cpu_s():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def measure(workload, n):
    options = options_of(workload)
    await connect(options, WARM_UP)
    wall, cpu = time.monotonic(), cpu_s()
    versions = await connect(options, n)
    wall, cpu = time.monotonic() - wall, cpu_s() - cpu
    print(f"{n} {wall:.9f} {cpu:.9f} {n} {versions}:0.00:0:0")


asyncio.run(measure(sys.argv[1], int(sys.argv[3])))
