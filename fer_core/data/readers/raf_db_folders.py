"""RAF-DB in numbered folders: `train/1/train_00001_aligned.jpg` to `train/7/...`, and the same in `test`.

Li et al. 2017, https://doi.org/10.1109/CVPR.2017.277. 1 is surprise and 7 neutral; there is no 0.
"""

from __future__ import annotations

from fer_core.data.readers._base import READERS, Reader
from fer_core.data.readers._numbered_folders import NumberedForm

FORM = NumberedForm("raf_db_folders", "raf_db", lambda numbers: 7 in numbers and numbers <= set(range(1, 8)))

READERS.add(FORM.name, Reader(FORM.name, "folders `train/1` to `train/7` (RAF-DB)", 84, FORM.fits, FORM.read))
