"""A push producer on the IOCP reactor that was resumed is resumed again, although nobody paused it.

Rule: producer-alternates. Sentence: IConsumer.registerProducer, “pauseProducing will be called
whenever the write buffer fills up and resumeProducing will only be called when it empties.”
Suspected: twisted.internet.iocpreactor.abstract, FileHandle._handleWrite, which sets producerPaused
to True where it resumes the producer; the other reactors' doWrite sets it to False.

    python iocp_producer_resumed.py [REACTOR]        exits 1 where the defect is there
"""

import sys

from twisted.application.reactors import installReactor
from twisted.internet import interfaces, protocol
from zope.interface import implementer

reactor = installReactor((sys.argv[1:] or ["iocp"])[0])


@implementer(interfaces.IPushProducer)
class Sender(protocol.Protocol):
    def connectionMade(self):
        self.transport.registerProducer(self, True)
        self.transport.write(bytes(1 << 20))
        reactor.callLater(1, reactor.stop)

    def pauseProducing(self):
        seen.append("pause")

    def resumeProducing(self):
        seen.append("resume")
        if len(seen) < 9:
            self.transport.write(b"a little")

    def stopProducing(self):
        pass


seen = []
accept = protocol.Factory.forProtocol(protocol.Protocol)  # it reads all, and drops it
port = reactor.listenTCP(0, accept, interface="127.0.0.1").getHost().port
reactor.connectTCP("127.0.0.1", port, protocol.ClientFactory.forProtocol(Sender))
reactor.run()
print(f"calls to the producer: expected pause, resume; seen {', '.join(seen)}")
sys.exit(seen != ["pause", "resume"])
