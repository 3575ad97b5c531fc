"""PyTorch, eager, Adam, as its own tutorials write the loop."""

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from ae_lab.upkeep.bench.setting import load, load_flat


def dense(setting, clock):
    """784-32-784, tensors in memory, batches by index: its fastest plain loop."""
    x = torch.from_numpy(load_flat(setting))
    model, optimizer = _autoencoder(setting)
    while True:
        batches = (x[index] for index in torch.randperm(len(x)).split(setting.batch_size))
        clock.tick(_epoch(model, optimizer, ((batch, batch) for batch in batches), _nats))


def dense_loader(setting, clock):
    """The same, its batches from a DataLoader."""
    x = torch.from_numpy(load_flat(setting))
    loader = DataLoader(TensorDataset(x), batch_size=setting.batch_size, shuffle=True)
    model, optimizer = _autoencoder(setting)
    while True:
        clock.tick(_epoch(model, optimizer, ((batch, batch) for (batch,) in loader), _nats))


def cnn(setting, clock):
    """The classifier of notebook 02, tensors in memory."""
    images, labels = load(setting)
    x, y = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(labels)
    y = y.long()
    torch.manual_seed(8)
    model = _classifier()
    optimizer = torch.optim.Adam(model.parameters())
    while True:
        order = torch.randperm(len(x)).split(setting.batch_size)
        batches = ((x[index], y[index]) for index in order)
        clock.tick(_epoch(model, optimizer, batches, functional.cross_entropy))


def _autoencoder(setting):
    torch.manual_seed(8)
    model = nn.Sequential(
        nn.Linear(784, setting.latent_dim), nn.ReLU(), nn.Linear(setting.latent_dim, 784)
    )
    return model, torch.optim.Adam(model.parameters())


def _classifier():
    """28x28 -> 14x14x32 -> 7x7x64 -> 7x7x64 -> 128 -> 10."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.4),
        nn.Linear(7 * 7 * 64, 128),
        nn.ReLU(),
        nn.Dropout(0.4),
        nn.Linear(128, 10),
    )


def _nats(logits, x):
    """Binary cross-entropy, summed over the pixels, mean over the batch."""
    return 784 * functional.binary_cross_entropy_with_logits(logits, x)


def _epoch(model, optimizer, batches, loss_function) -> float:
    """One pass; the mean loss of its batches."""
    total, count = 0.0, 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
        count += 1
    return total / count
