"""The work itself, one module a way of doing it, each written as its own tutorials would.

A piece of work is a function of (setting, clock) that calls ``clock.tick(loss)`` after every unit
of work, forever or for ``setting.epochs`` epochs. The first tick ends the warming up. Losses are
nats an image, or squared error an image, as a mean over the training images of the epoch, so that
they compare; `ours` is our side of every row.
"""
