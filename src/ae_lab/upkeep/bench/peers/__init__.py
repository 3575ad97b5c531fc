"""The work itself, one module for each way of doing it, written as its own tutorials would.

A piece of work is a function of (workload, tick) that calls ``tick(loss)`` after every unit of
work, forever or for ``workload.epochs`` epochs. The first tick ends the warming up. Losses are
nats per image, or squared error per image, as a mean over the training images of the epoch, so
that they compare; `ours` is our side of every row. With a ``workload.target`` it ticks once
before it builds its model, then after each epoch with the loss on the test images.
"""
