"""Runs the guest and the sensors, and obeys the test program on standard input.

usage: stage.py HCI_SOCKET BUS_SOCKET BUS_PORT QEMU [ARGUMENT]...

The guest's controller is served on the Unix socket HCI_SOCKET. Its system bus, which it forwards to
BUS_PORT of this host, is offered on the Unix socket BUS_SOCKET: over TCP, some D-Bus libraries do not
say who they are. Requests and answers are JSON, one a
line: {"do": ..., "sensor": ..., ...} is answered by {"ok": ...} or {"error": ...}. The first line is
{"ready": true}, or {"ended": TEXT} should the guest not come up. When standard input ends, as it
does however the test program ends, everything ends; the guest dies with this process, however it ends.
"""

import asyncio
import ctypes
import json
import signal
import sys

from bumble.controller import Controller
from bumble.hci import Address, LeFeatureMask
from bumble.transport import open_transport

import sensors as rig

PR_SET_PDEATHSIG = 1
READY, CONSOLE_KEPT = "FOGWARD-READY", 60


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def say(message):
    print(json.dumps(message), flush=True)


async def watch(guest):
    """Tells when the guest is ready, and that it ended with the last lines of its console."""
    kept, said = [], False
    while line := await guest.stdout.readline():
        text = line.decode(errors="replace").strip()
        kept = [*kept, text][-CONSOLE_KEPT:]
        print(text, file=sys.stderr, flush=True)
        if READY in text and not said:
            said = True
            say({"ready": True})
    say({"ended": "\n".join(kept)})


async def relay(reader, writer):
    """Copies one way until its end."""
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def offer_bus(socket, port):
    async def serve(reader, writer):
        try:
            guest_reader, guest_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return writer.close()
        await asyncio.gather(relay(reader, guest_writer), relay(guest_reader, writer))

    return await asyncio.start_unix_server(serve, socket)


async def obey(sensors, request):
    sensor = sensors[request["sensor"]]
    match request["do"]:
        case "advertise":
            return await sensor.advertise(request["on"])
        case "drop":
            return await sensor.drop()
        case "forget":
            return await sensor.forget()
        case "send":
            return await sensor.send(request["characteristic"], bytes.fromhex(request["value"]))
        case "stream":
            return await sensor.stream(request["period_millis"] / 1000)
        case "accept":
            sensor.accepts_pairing = request["on"]
        case "answer":
            sensor.answers.put_nowait(request["answer"])
        case "heard":
            return await sensor.heard()
        case "state":
            return await sensor.state()
        case other:
            raise ValueError(f"no such request: {other}")


async def main(hci_socket, bus_socket, bus_port, *command):
    transport = await open_transport(f"unix-server:{hci_socket}")
    link = rig.Link()
    central = Address("AA:AA:AA:00:00:01", Address.PUBLIC_DEVICE_ADDRESS)
    controller = Controller("central", host_source=transport.source, host_sink=transport.sink, link=link, public_address=central)
    # Linux expects an enhanced connection complete event of a controller with these features. Bumble's
    # sends the plain one, and Linux would wait 4 s for the other after each connection.
    controller.le_features &= ~(LeFeatureMask.LL_PRIVACY | LeFeatureMask.LE_EXTENDED_ADVERTISING)
    sensors = rig.build(link)
    for sensor in sensors.values():
        await sensor.start()
    guest = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, preexec_fn=die_with_parent,
    )
    asyncio.create_task(watch(guest))
    bus = await offer_bus(bus_socket, int(bus_port))
    requests = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(requests), sys.stdin
    )
    while line := await requests.readline():
        try:
            say({"ok": await asyncio.wait_for(obey(sensors, json.loads(line)), 15)})
        except Exception as error:
            say({"error": repr(error)})
    bus.close()
    guest.kill()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
