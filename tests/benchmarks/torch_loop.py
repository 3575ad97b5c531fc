"""PyTorch, eager, with Adam; the loop is written as in its own tutorials."""

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset


def dense(workload, tick):
    """784-32-784 with tensors in memory and batches by index: the fastest plain loop."""
    x = torch.from_numpy(workload.load_flat())

    def batches():
        return ((x[i], x[i]) for i in torch.randperm(len(x)).split(workload.batch_size))

    train(autoencoder(workload), batches, nats, tick)


def dense_loader(workload, tick):
    """The same with batches from a DataLoader."""
    x = TensorDataset(torch.from_numpy(workload.load_flat()))
    loader = DataLoader(x, batch_size=workload.batch_size, shuffle=True)
    train(autoencoder(workload), lambda: ((batch, batch) for (batch,) in loader), nats, tick)


def cnn(workload, tick):
    """The classifier of notebook 02 with tensors in memory: 14x14x32, 7x7x64, 7x7x64, 128, 10."""
    images, labels = workload.load()
    x = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    y = torch.from_numpy(labels).long()
    torch.manual_seed(8)
    head = [nn.Flatten(), nn.Dropout(0.4), nn.Linear(7 * 7 * 64, 128), nn.ReLU()]
    model = nn.Sequential(
        *(nn.Conv2d(1, 32, 5, stride=2, padding=2), nn.ReLU()),
        *(nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Conv2d(64, 64, 3, padding=1), nn.ReLU()),
        *(*head, nn.Dropout(0.4), nn.Linear(128, 10)),
    )

    def batches():
        return ((x[i], y[i]) for i in torch.randperm(len(x)).split(workload.batch_size))

    train(model, batches, functional.cross_entropy, tick)


def autoencoder(workload):
    """784-32-784; its output is logits."""
    torch.manual_seed(8)
    code = workload.latent_dim
    return nn.Sequential(nn.Linear(784, code), nn.ReLU(), nn.Linear(code, 784))


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
