from tsformers import anomaly as anomaly
from tsformers import fdr as fdr
from tsformers import hsmm as hsmm
from tsformers import nn as nn
from tsformers import scoring as scoring
from tsformers import testing as testing
from tsformers.anomaly.detector import AnomalyDetector as AnomalyDetector
from tsformers.compose.clustered import Clustered as Clustered
from tsformers.compose.ensemble import Ensemble as Ensemble
from tsformers.compose.pipeline import Pipeline as Pipeline
from tsformers.errors import DataError as DataError
from tsformers.errors import JobError as JobError
from tsformers.forecast import Forecast as Forecast
from tsformers.forecast import from_gluonts as from_gluonts
from tsformers.forecasters.auto_arima import AutoARIMA as AutoARIMA
from tsformers.forecasters.auto_ets import AutoETS as AutoETS
from tsformers.forecasters.autoformer import Autoformer as Autoformer
from tsformers.forecasters.holt_winters import HoltWinters as HoltWinters
from tsformers.forecasters.linear import Linear as Linear
from tsformers.forecasters.lru import LRU as LRU
from tsformers.forecasters.redsds import REDSDS as REDSDS
from tsformers.forecasters.seasonal_naive import SeasonalNaive as SeasonalNaive
from tsformers.forecasters.theta import Theta as Theta
from tsformers.jobs.recipes import load_dataset as load_dataset
from tsformers.jobs.rolling import backtest as backtest
from tsformers.panel import Panel as Panel
from tsformers.panel import from_wide as from_wide
from tsformers.preprocessing.autocorrelated_errors import AutocorrelatedErrors as AutocorrelatedErrors
from tsformers.preprocessing.decomposition import TrendSeasonalDecomposition as TrendSeasonalDecomposition
from tsformers.preprocessing.features import ByFeatures as ByFeatures
from tsformers.preprocessing.mixseq import MixSeq as MixSeq
from tsformers.preprocessing.scale import Scale as Scale
from tsformers.scoring.table import score as score
from tsformers.storage import load as load
from tsformers.storage import save as save

__version__: str
__all__: list[str]
