#!/usr/bin/env python3
"""Queues that are Python packages: dirq, which never syncs, and litequeue on SQLite with synchronous = FULL.

peers.py dirq|litequeue DURABILITY DIR ROLE ARGUMENT...   as in ../drivers/c/roles.h, but for batch and idle
"""
import json
import os
import resource
import struct
import sys
import time

# How long a consumer waits for one more message before it says that there are no more, in seconds.
PATIENCE = 2
METADATA, DATA = b'm' * 100, b'd' * 1024


class Dirq:
    def __init__(self, directory, _):
        from dirq.QueueSimple import QueueSimple
        self.queue = QueueSimple(directory)
        self.listed = False

    def put(self, message):
        self.queue.add(message)

    def look(self):
        """Goes on in the listing, and lists again once at its end."""
        for _ in range(2):
            name = self.queue.next() if self.listed else self.queue.first()
            self.listed = True
            while name:
                if self.queue.lock(name):
                    self.taken = name
                    return self.queue.get(name)
                name = self.queue.next()
            self.listed = False
        return None

    def acknowledge(self):
        self.queue.remove(self.taken)


class Litequeue:
    def __init__(self, directory, durability):
        from litequeue import LiteQueue
        os.makedirs(directory, exist_ok=True)
        self.queue = LiteQueue(os.path.join(directory, 'queue.db'))
        self.queue.conn.execute('PRAGMA busy_timeout = 20000')
        self.queue.conn.execute(f'PRAGMA synchronous = {"FULL" if durability == "on" else "OFF"}')

    def put(self, message):
        self.queue.put(message.decode('latin-1'))

    def look(self):
        self.taken = self.queue.pop()
        return None if self.taken is None else self.taken.data.encode('latin-1')

    def acknowledge(self):
        self.queue.done(self.taken.message_id)


def take(queue, patience):
    """Neither tells of arrivals, so a consumer looks every millisecond."""
    until = time.monotonic() + patience
    while (message := queue.look()) is None:
        if time.monotonic() > until:
            return None
        time.sleep(0.001)
    return message


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def highest_memory():
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmHWM:'))


def at(samples, part):
    return samples[int(len(samples) * part)] * 1e6 if samples else 0


def measure(count, seconds, step):
    samples = []
    used, began = cpu(), time.monotonic()
    last = began
    while len(samples) < count and last - began < seconds and step():
        now = time.monotonic()
        samples.append(now - last)
        last = now
    used = cpu() - used
    samples.sort()
    print(json.dumps({'n': len(samples), 't0': began, 't1': last, 'cpu': used, 'rss_kb': highest_memory(),
                      'p50us': at(samples, 0.5), 'p99us': at(samples, 0.99)}))


def put(queue):
    queue.put(METADATA + DATA)
    return True


def get(queue):
    if take(queue, PATIENCE) is None:
        return False
    queue.acknowledge()
    return True


def main():
    peer, durability, directory, role, count = sys.argv[1:6]
    count, second = int(count), float(sys.argv[6]) if len(sys.argv) > 6 else 1e9
    queue = {'dirq': Dirq, 'litequeue': Litequeue}[peer](directory, durability)
    if role == 'put':
        measure(count, second, lambda: put(queue))
    elif role == 'get':
        measure(count, second, lambda: get(queue))
    elif role == 'latp':
        for _ in range(count):
            time.sleep(second / 1e6)
            queue.put(struct.pack('d', time.monotonic()) + METADATA[8:] + DATA)
    elif role == 'latc':
        print('ready', flush=True)
        samples = []
        for _ in range(count):
            message = take(queue, 10 * PATIENCE)
            samples.append(time.monotonic() - struct.unpack('d', message[:8])[0])
            queue.acknowledge()
        samples.sort()
        print(json.dumps({'n': count, 'min': at(samples, 0), 'p50': at(samples, 0.5), 'p99': at(samples, 0.99)}))
    else:
        sys.exit(f'driver: unknown role {role}')


main()
