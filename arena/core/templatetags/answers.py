"""What pages that show answers need in their head."""

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def answer_head() -> SafeString:
    """The style sheet of answers, and whether scripts may show images in them."""
    sheet = format_html('<link rel="stylesheet" href="{}">', static("core/css/answer.css"))
    if not settings.ANSWER_IMAGES:
        return sheet
    return format_html('{}<meta name="answer-images" content="shown">', sheet)
