"""What the functions cost: init, CPU, AWS calls, memory, size (`make bench`).

Limits apply to ratios to the cost of bare calls on the same machine in the same minute, and to
counts. These depend on the code, and hardly on the machine.
"""

import sys
from pathlib import Path

# The client is imported from the path; `tools` does the same with the shared layer.
sys.path.append(str(Path(__file__).parent.parent / "client" / "src"))
