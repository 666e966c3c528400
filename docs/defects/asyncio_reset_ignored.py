"""A delayed call that is put off comes at the time that it was made for first.

Rule: sleeps. Sentence: IDelayedCall.reset, “Reset the scheduled time”. Suspected, before 21.2:
twisted.internet.asyncioreactor, AsyncioSelectorReactor.callLater. It gives the call to a timer of
asyncio's, and DelayedCall.reset to a later time leaves that as it is. So a time-out that is put off
by every byte aborts a connection that is busy.

    python asyncio_reset_ignored.py [REACTOR]    exits 1 where the defect is there
"""

import sys

from twisted.application.reactors import installReactor

reactor = installReactor((sys.argv[1:] or ["asyncio"])[0])
FIRST, LATER = 0.1, 0.3
times = []


def called():
    times.append(reactor.seconds())
    reactor.stop()


def put_off():
    times.append(reactor.seconds())
    reactor.callLater(FIRST, called).reset(LATER)


reactor.callWhenRunning(put_off)
reactor.run()
is_early = times[1] - times[0] < LATER
seen = "earlier" if is_early else "then"
print(f"a call that was put off: expected after {LATER:g} s, seen {seen}")
sys.exit(is_early)
