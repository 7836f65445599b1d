"""One contrast in many networks: what does a way of learning add, at which layer?"""

from layerstats.stats.networks.collect import Network, list_networks
from layerstats.stats.networks.network_comparison import NetworkComparison, compare_networks

__all__ = ["Network", "NetworkComparison", "compare_networks", "list_networks"]
