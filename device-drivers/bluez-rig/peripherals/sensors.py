"""The sensors of the rig: what each one is, says, and does when it is paired.

Five peripherals on one simulated radio link, each with a controller of its own. Values are the
worked examples of the profile specifications (see `VALUES`). Nothing here knows the guest.
"""

import asyncio
import struct

from bumble.controller import Controller
from bumble.core import AdvertisingData, PhysicalTransport
from bumble.device import Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address
from bumble.host import Host
from bumble.keys import MemoryKeyStore
from bumble.link import LocalLink
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport.common import AsyncPipeSink

Properties, Permissions = Characteristic.Properties, Characteristic.Permissions
OPEN = Permissions.READABLE
ENCRYPTED = Permissions.READABLE | Permissions.READ_REQUIRES_ENCRYPTION
AUTHENTICATED = Permissions.READABLE | Permissions.READ_REQUIRES_AUTHENTICATION

# What a subscriber is sent: characteristic, bytes. 2A37: 80 bpm, contact, RR 1000 and 875 ms;
# 2A1C: 36.4 °C; 2A5F: 98 %, 64 bpm; 2A35: 120/80, mean 93 mmHg, pulse 72; 2A19: 87 %.
VALUES = {
    "2A37": bytes.fromhex("165000048003"),
    "2A1C": bytes.fromhex("006C0100FF"),
    "2A5F": bytes.fromhex("0062004000"),
    "2A35": bytes.fromhex("04780050005D004800"),
    "2A19": bytes([87]),
}

# Two stored glucose records: number, 95 and 110 mg/dL (10^-5 kg/L), capillary blood, finger.
GLUCOSE = [
    struct.pack("<BHHBBBBBHB", 0x02, number, 2025, 11, 27, 8, 30 + number, 0, 0xB000 | value, 0x11)
    for number, value in ((1, 95), (2, 110))
]


class Link(LocalLink):
    """The radio link, with bumble 0.0.236's sender address mended.

    It sends data in the name of the sender's random address even where the connection was made
    with another one, which happens when Linux scans under a private address.
    """

    def send_acl_data(self, sender_controller, destination_address, transport, data):
        connection = None
        if transport == PhysicalTransport.LE:
            connection = sender_controller.le_connections.get(destination_address)
        receiver = connection and self.find_le_controller(destination_address)
        if not receiver:
            return super().send_acl_data(sender_controller, destination_address, transport, data)
        asyncio.get_running_loop().call_soon(
            receiver.on_link_acl_data, connection.self_address, transport, data
        )


class Delegate(PairingDelegate):
    """A sensor's display and keys: shows its passkey, types one, agrees or does not."""

    def __init__(self, sensor, capability):
        super().__init__(capability)
        self.sensor = sensor

    async def accept(self):
        return self.sensor.accepts_pairing

    async def display_number(self, number, digits):
        self.sensor.shown = number

    async def compare_numbers(self, number, digits):
        self.sensor.shown = number
        return await self.sensor.answer()

    async def get_number(self):
        return await self.sensor.answer()


def short(uuid):
    """The 16 bits that are told of a UUID: all of a short one, bits 96 to 111 of a vendor's."""
    return uuid.to_hex_str().upper().rjust(8, "0")[4:8]


class Sensor:
    """One peripheral. `shown` is what its display shows while it is being paired."""

    def __init__(self, link, address, name, services, capability, uuids):
        controller = Controller(name, link=link, public_address=Address(address, Address.PUBLIC_DEVICE_ADDRESS))
        host = Host(controller, AsyncPipeSink(controller))
        config = DeviceConfiguration(name=name, address=Address(address), keystore=None)
        self.device = Device(config=config, host=host)
        self.device.pairing_config_factory = lambda _: PairingConfig(
            sc=True,
            mitm=capability != PairingDelegate.NO_OUTPUT_NO_INPUT,
            bonding=True,
            delegate=Delegate(self, capability),
        )
        self.device.add_services(services)
        self.characteristics = {
            short(characteristic.uuid): characteristic
            for service in services
            for characteristic in service.characteristics
        }
        self.advertisement = bytes(AdvertisingData([
            (AdvertisingData.FLAGS, bytes([0x06])),
            (AdvertisingData.COMPLETE_LOCAL_NAME, name.encode()),
            (AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, struct.pack(f"<{len(uuids)}H", *uuids)),
        ]))
        self.accepts_pairing = True
        self.shown = None
        self.alerts = []
        self.answers = asyncio.Queue()
        self.streaming = None
        self.written = []

    async def start(self):
        await self.device.power_on()
        self.device.keystore = MemoryKeyStore()

    async def answer(self):
        return await asyncio.wait_for(self.answers.get(), 20)

    async def advertise(self, on):
        if on:
            await self.device.start_advertising(advertising_data=self.advertisement, auto_restart=True)
        else:
            await self.device.stop_advertising()

    async def drop(self):
        for connection in list(self.device.connections.values()):
            await connection.disconnect()

    async def forget(self):
        self.device.keystore = MemoryKeyStore()

    async def send(self, characteristic, value):
        """To every subscriber; an indication waits for its confirmation."""
        attribute = self.characteristics[characteristic]
        indicates = attribute.properties & Properties.INDICATE
        for connection in list(self.device.connections.values()):
            if indicates:
                await asyncio.wait_for(self.device.indicate_subscriber(connection, attribute, value), 5)
            else:
                await self.device.notify_subscriber(connection, attribute, value)

    async def stream(self, period):
        """All values, again and again; a period of 0 ends it."""
        if self.streaming:
            self.streaming.cancel()
            self.streaming = None
        if period:
            self.streaming = asyncio.create_task(self.repeat(period))

    async def repeat(self, period):
        while True:
            for characteristic, value in VALUES.items():
                if characteristic in self.characteristics:
                    try:
                        await self.send(characteristic, value)
                    except Exception:
                        pass  # The connection ended meanwhile; the next one is served.
            await asyncio.sleep(period)

    async def heard(self):
        """What was written since this was asked last."""
        heard, self.written = self.written, []
        return [list(piece) for piece in heard]

    async def state(self):
        connections = list(self.device.connections.values())
        return {
            "connected": bool(connections),
            "encrypted": any(connection.is_encrypted for connection in connections),
            "bonds": len(await self.device.keystore.get_all()),
            "shown": self.shown,
            "alerts": self.alerts,
        }


def information(serial_permissions):
    return Service("180A", [
        Characteristic("2A29", Properties.READ, OPEN, b"Rig Devices"),
        Characteristic("2A24", Properties.READ, OPEN, b"Virtual 1"),
        Characteristic("2A25", Properties.READ, serial_permissions, b"SN-0001"),
    ])


def battery():
    return Service("180F", [Characteristic("2A19", Properties.READ | Properties.NOTIFY, OPEN, VALUES["2A19"])])


def glucose(find):
    """Measurement, feature, and a record access control point that answers from `GLUCOSE`."""

    async def report(number_from):
        sensor = find()
        for record in GLUCOSE:
            if struct.unpack_from("<H", record, 1)[0] >= number_from:
                await sensor.send("2A18", record)
        await sensor.send("2A52", bytes([0x06, 0x00, 0x01, 0x01]))

    def written(_connection, value):
        sensor, loop = find(), asyncio.get_running_loop()
        if value[:2] == b"\x01\x01":
            loop.create_task(report(0))
        elif value[:3] == b"\x01\x03\x01" and len(value) == 5:
            loop.create_task(report(struct.unpack_from("<H", value, 3)[0]))
        elif value[:2] == b"\x04\x01":
            loop.create_task(sensor.send("2A52", struct.pack("<BBH", 0x05, 0, len(GLUCOSE))))
        else:
            loop.create_task(sensor.send("2A52", bytes([0x06, 0x00, value[0] if value else 0, 0x02])))

    return Service("1808", [
        Characteristic("2A18", Properties.NOTIFY, OPEN, b""),
        Characteristic("2A51", Properties.READ, OPEN, bytes(2)),
        Characteristic(
            "2A52", Properties.WRITE | Properties.INDICATE,
            Permissions.WRITEABLE | Permissions.WRITE_REQUIRES_AUTHENTICATION,
            CharacteristicValue(write=written),
        ),
    ])


def uart(find):
    """The Nordic UART Service; what is written is kept until the test asks for it."""

    def written(_connection, value):
        find().written.append(bytes(value))

    return Service("6E400001-B5A3-F393-E0A9-E50E24DCCA9E", [
        Characteristic(
            "6E400002-B5A3-F393-E0A9-E50E24DCCA9E", Properties.WRITE | Properties.WRITE_WITHOUT_RESPONSE,
            Permissions.WRITEABLE, CharacteristicValue(write=written),
        ),
        Characteristic("6E400003-B5A3-F393-E0A9-E50E24DCCA9E", Properties.NOTIFY, OPEN, b""),
    ])


def alert(find):
    """Immediate Alert: the sensor notes each level it is told."""

    def written(_connection, value):
        find().alerts.append(value[0] if value else None)

    return Service("1802", [Characteristic(
        "2A06", Properties.WRITE_WITHOUT_RESPONSE, Permissions.WRITEABLE, CharacteristicValue(write=written),
    )])


def build(link):
    """The five sensors by name."""
    sensors = {}
    sensors["wrist"] = Sensor(link, "C4:F2:17:1A:1D:01", "Rig Wrist", [
        Service("180D", [
            Characteristic("2A37", Properties.NOTIFY, OPEN, VALUES["2A37"]),
            Characteristic("2A38", Properties.READ, OPEN, bytes([2])),
        ]),
        Service("1809", [Characteristic("2A1C", Properties.INDICATE, OPEN, VALUES["2A1C"])]),
        Service("1822", [
            Characteristic("2A5F", Properties.NOTIFY, OPEN, VALUES["2A5F"]),
            Characteristic("2A60", Properties.READ, OPEN, bytes([0, 0])),
        ]),
        battery(), information(ENCRYPTED),
    ], PairingDelegate.NO_OUTPUT_NO_INPUT, [0x180D, 0x1809, 0x1822])
    sensors["cuff"] = Sensor(link, "C4:F2:17:1A:1D:02", "Rig Cuff", [
        Service("1810", [
            Characteristic("2A35", Properties.INDICATE, OPEN, VALUES["2A35"]),
            Characteristic("2A49", Properties.READ, AUTHENTICATED, bytes([0, 0])),
        ]),
        battery(), information(OPEN),
    ], PairingDelegate.DISPLAY_OUTPUT_ONLY, [0x1810])
    sensors["glucometer"] = Sensor(
        link, "C4:F2:17:1A:1D:03", "Rig Glucometer",
        [glucose(lambda: sensors["glucometer"]), battery(), information(OPEN)],
        PairingDelegate.DISPLAY_OUTPUT_AND_YES_NO_INPUT, [0x1808],
    )
    sensors["keypad"] = Sensor(link, "C4:F2:17:1A:1D:04", "Rig Keypad", [
        Service("1809", [Characteristic("2A1C", Properties.INDICATE, OPEN, VALUES["2A1C"])]),
        information(AUTHENTICATED),
    ], PairingDelegate.KEYBOARD_INPUT_ONLY, [0x1809])
    sensors["pod"] = Sensor(
        link, "C4:F2:17:1A:1D:05", "Rig Pod", [uart(lambda: sensors["pod"])],
        PairingDelegate.NO_OUTPUT_NO_INPUT, [],
    )
    sensors["scale"] = Sensor(link, "C4:F2:17:1A:1D:06", "Rig Scale", [
        Service("181D", [
            Characteristic("2A9D", Properties.INDICATE, OPEN, b""),
            Characteristic("2A9E", Properties.READ, OPEN, bytes(4)),
        ]),
        alert(lambda: sensors["scale"]), battery(), information(OPEN),
    ], PairingDelegate.NO_OUTPUT_NO_INPUT, [0x181D, 0x1802])
    return sensors
