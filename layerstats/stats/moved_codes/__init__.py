"""Where codes move in maximization (Soomro et al. 2019, Fig. 4), and what the paper only asserts of it, tested."""

from layerstats.stats.moved_codes.code_movement import CodeMovement, code_movement
from layerstats.stats.moved_codes.code_projection import CodeProjection, project_codes
from layerstats.stats.moved_codes.start_codes import MovedCodes, read_moved_codes

__all__ = ["CodeMovement", "CodeProjection", "MovedCodes", "code_movement", "project_codes", "read_moved_codes"]
