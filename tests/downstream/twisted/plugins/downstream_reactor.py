"""By this Twisted finds the reactor, and so does reactor-matrix."""

from twisted.application.reactors import Reactor

downstream = Reactor("downstream", "downstream.reactor", "poll(2), counting its turns")
