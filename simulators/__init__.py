"""What stands around a gate, each as a program of its own: relay board, cameras, centre.

They speak the real protocols on loopback and import nothing of the controller, so that a fault
in it cannot agree with itself.
"""
