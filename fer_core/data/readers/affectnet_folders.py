"""AffectNet in numbered folders: `train/0/x.jpg` to `train/7/...`, and the same in `val`.

Mollahosseini et al. 2017, https://arxiv.org/abs/1708.03985. 0 is neutral and 7 contempt; 8 (none), 9 (uncertain) and 10
(no face) are left out where they are there. Folders 0 to 6 alone may as well be FER2013's, so they need a label map.
Folders named by emotion are read by `emotion_folders`.
"""

from __future__ import annotations

from fer_core.data.readers._base import READERS, Reader
from fer_core.data.readers._numbered_folders import NumberedForm

FORM = NumberedForm("affectnet_folders", "affectnet", lambda numbers: {0, 7} <= numbers <= set(range(11)))

READERS.add(FORM.name, Reader(FORM.name, "folders `train/0` to `train/7` (AffectNet)", 86, FORM.fits, FORM.read))
