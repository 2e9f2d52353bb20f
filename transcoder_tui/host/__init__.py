"""The machine: CPU, RAM, disk, network interfaces."""
