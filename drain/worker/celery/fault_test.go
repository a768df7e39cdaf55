package celery

const victimVariable = "HA_CELERY_VICTIM"

func victim() {}
