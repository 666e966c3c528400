"""Which functions of Twisted are mutated, why, and on which reactors they are looked at."""

from __future__ import annotations

from attrs import frozen

SHARED = ("epoll", "select")
"""Reactors for what is common to all of them; Twisted's own tests run on both too."""


@frozen
class Target:
    """Functions of one module, by their qualified names, and why they are on the path."""

    module: str
    why: str
    functions: tuple[str, ...]
    reactors: tuple[str, ...] = SHARED


def _methods(name: str, methods: str) -> tuple[str, ...]:
    return tuple(f"{name}.{method}" for method in methods.split())


_REACTOR = "__init__ addReader addWriter removeReader removeWriter removeAll getReaders getWriters "

TARGETS = (
    Target(
        "twisted.internet.tcp",
        "The connection itself: set up, read, written to, aborted, closed.",
        (
            "_SocketCloser._closeSocket",
            "_AbortingMixin.abortConnection",
            *_methods(
                "Connection",
                "__init__ doRead _dataReceived writeSomeData _closeWriteConnection "
                "readConnectionLost connectionLost",
            ),
            *_methods("_BaseBaseClient", "_finishInit connectionLost"),
            *_methods("BaseClient", "createInternetSocket doConnect _connectDone"),
            "Server.__init__",
        ),
    ),
    Target(
        "twisted.internet.abstract",
        "The write buffer, the producer, and the orderly close.",
        (
            "_concatenate",
            *_methods("_ConsumerMixin", "registerProducer unregisterProducer"),
            *_methods(
                "FileDescriptor",
                "__init__ connectionLost doWrite _postLoseConnection _isSendBufferFull "
                "_maybePauseProducer write loseConnection loseWriteConnection stopReading "
                "stopWriting startReading startWriting resumeProducing pauseProducing",
            ),
        ),
    ),
    Target(
        "twisted.protocols.tls",
        "TLS over that connection: its handshake, buffers, producer, abort and close.",
        (
            *_methods("_ProducerMembrane", "__init__ pauseProducing resumeProducing stopProducing"),
            "_representsEOF",
            *_methods(
                "TLSMemoryBIOProtocol",
                "__init__ makeConnection _checkHandshakeStatus _flushSendBIO _flushReceiveBIO "
                "dataReceived _shutdownTLS _tlsShutdownFinished connectionLost loseConnection "
                "abortConnection write _bufferedWrite _unbufferPendingWrites _write "
                "registerProducer unregisterProducer",
            ),
            *_methods("_AggregateSmallWrites", "__init__ write _scheduledFlush flush close"),
            *_methods("BufferingTLSTransport", "__init__ loseConnection connectionLost"),
        ),
    ),
    Target(
        "twisted.internet._producer_helpers",
        "A pull producer over TLS is made a push producer.",
        _methods(
            "_PullToPush",
            "__init__ _pull startStreaming stopStreaming pauseProducing resumeProducing "
            "stopProducing",
        ),
    ),
    Target(
        "twisted.internet.posixbase",
        "What the kernel said becomes doRead, doWrite, or the loss of the connection.",
        (
            "_DisconnectSelectableMixin._disconnectSelectable",
            "PosixReactorBase._removeAll",
            "_PollLikeMixin._doReadOrWrite",
        ),
    ),
    Target(
        "twisted.internet.base",
        "The loop, and the delayed call by which an abort takes place.",
        _methods(
            "ReactorBase",
            "mainLoop wakeUp callLater callFromThread _cancelCallLater _insertNewDelayedCalls "
            "timeout runUntilCurrent",
        ),
    ),
    Target(
        "twisted.internet.epollreactor",
        "epoll's own registration and dispatch.",
        _methods("EPollReactor", _REACTOR + "_add _remove doPoll"),
        ("epoll",),
    ),
    Target(
        "twisted.internet.selectreactor",
        "select's own registration and dispatch.",
        _methods("SelectReactor", _REACTOR + "doSelect _doReadOrWrite"),
        ("select",),
    ),
    Target(
        "twisted.internet.pollreactor",
        "poll's own registration and dispatch.",
        _methods("PollReactor", _REACTOR + "_updateRegistration _dictRemove doPoll"),
        ("poll",),
    ),
    Target(
        "twisted.internet.asyncioreactor",
        "asyncio's own registration, dispatch and timer.",
        _methods(
            "AsyncioSelectorReactor",
            _REACTOR + "_unregisterFDInAsyncio _readOrWrite _onTimer _reschedule "
            "_moveCallLaterSooner callLater callFromThread",
        ),
        ("asyncio", "uvloop"),
    ),
)
"""Left out: listening and accepting, names and addresses, UDP, processes, signals, other systems,
and what no cell of the matrix and no abort test of Twisted's is about."""
