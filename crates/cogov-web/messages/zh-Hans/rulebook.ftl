rulebook-contents = 条款
rulebook-rule = 执行它的规则
rulebook-share = 共 { $count } 条有效条款。左侧为由软件执行的比例，其余条文只能由人来遵守。
rulebook-origins = 本条的由来
rulebook-origin-adopted = { $day } 通过
rulebook-origin-nobody = 没有意见与此修改相关联。
