"""A page to listen to what was made for each class: sounds, spectrograms, and what every judge says."""

from layerstats.report.audition.material import Draw, Exemplar, Sound, SpectrogramAxes
from layerstats.report.audition.write import check_folder, write_audition

__all__ = ["Draw", "Exemplar", "Sound", "SpectrogramAxes", "check_folder", "write_audition"]
