"""PyTorch, eager, with Adam; the loop is written as in its own tutorials."""

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(8)


def dense(workload, tick):
    """784-32-784 with tensors in memory and batches by index: the fastest plain loop."""
    x = torch.from_numpy(workload.load(784)[0])
    train(autoencoder(workload.latent_dim), lambda: in_memory(x, x, workload), nats, tick)


def dense_loader(workload, tick):
    """The same with batches from a DataLoader."""
    x = TensorDataset(torch.from_numpy(workload.load(784)[0]))
    loader = DataLoader(x, batch_size=workload.batch_size, shuffle=True)
    train(autoencoder(workload.latent_dim), lambda: ((b, b) for (b,) in loader), nats, tick)


def cnn(workload, tick):
    """The classifier of notebook 02 with tensors in memory: 14x14x32, 7x7x64, 7x7x64, 128, 10."""
    images, labels, _ = workload.load()
    x = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    y = torch.from_numpy(labels).long()
    model = nn.Sequential(
        *(nn.Conv2d(1, 32, 5, stride=2, padding=2), nn.ReLU()),
        *(nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.Flatten()),
        *(nn.Dropout(0.4), nn.Linear(7 * 7 * 64, 128), nn.ReLU()),
        *(nn.Dropout(0.4), nn.Linear(128, 10)),
    )
    train(model, lambda: in_memory(x, y, workload), functional.cross_entropy, tick)


def autoencoder(code):
    """784-32-784; its output is logits."""
    return nn.Sequential(nn.Linear(784, code), nn.ReLU(), nn.Linear(code, 784))


def in_memory(x, y, workload):
    """The batches of an epoch."""
    return ((x[i], y[i]) for i in torch.randperm(len(x)).split(workload.batch_size))


def nats(logits, x):
    """Binary cross-entropy, sum over the pixels, mean over the batch."""
    return 784 * functional.binary_cross_entropy_with_logits(logits, x)


def train(model, batches, loss_function, tick):
    """One epoch after the other; the mean loss of the batches."""
    optimizer = torch.optim.Adam(model.parameters())
    while True:
        losses = []
        for x, y in batches():
            optimizer.zero_grad()
            loss = loss_function(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        tick(sum(losses) / len(losses))
